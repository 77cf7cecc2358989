"""What experiments over a dataset came to, and how one differs from another."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from evals.analytics import experiments
from evals.analytics.experiments import Experiment
from heliograph.domain.comparisons import ComparisonQuestion, ExperimentComparison, ExperimentSummary
from serve_apps.api.answers import Answer, wire_answer
from serve_apps.api.dataset_runs import ProjectRuns, RunsByDataset
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Parameters, Text
from serve_apps.authentication import ProjectPrincipal
from storage.clickhouse.experiment_results import ExperimentResults

router = APIRouter(tags=["experiment-comparisons"])


class ExperimentReads:
    """The experiments of the caller's project with all that came of them."""

    def __init__(self, runs: RunsByDataset, results: ExperimentResults) -> None:
        self._runs = runs
        self._results = results

    async def named(self, dataset_name: str, run_name: str) -> Experiment:
        """The experiment of a name over a dataset; raises DatasetNotFound or DatasetRunNotFound."""
        runs = await self._runs.named(dataset_name)
        run, *_ = await runs.named(run_name)
        items = await runs.items(run)
        traces = sorted({item.trace_id for item in items})
        scores, figures, roots = await asyncio.gather(
            self._results.scores(traces), self._results.traces(traces), self._results.roots(traces)
        )
        tables = {"scores": scores, "traces": figures, "roots": roots}
        return experiments.experiment(run, items, tables, dataset_name=dataset_name)


async def _reads(runs: ProjectRuns, dependencies: Dependencies, principal: ProjectPrincipal) -> ExperimentReads:
    return ExperimentReads(runs, ExperimentResults(dependencies.clickhouse, principal.project_id))


ProjectExperiments = Annotated[ExperimentReads, Depends(_reads)]


class NamedExperiment(Parameters):
    """An experiment over a dataset."""

    dataset_name: Text
    run_name: Text


@router.get("/experiment-summaries")
async def summarise_experiment(
    asked: Annotated[NamedExperiment, Query()], reads: ProjectExperiments
) -> Answer[ExperimentSummary]:
    """What an experiment came to: each metric's mean with its interval, and on how many items it stands."""
    found = await reads.named(asked.dataset_name, asked.run_name)
    return wire_answer(await asyncio.to_thread(experiments.summary, found))


@router.post("/experiment-comparisons")
async def compare_experiments(asked: ComparisonQuestion, reads: ProjectExperiments) -> Answer[ExperimentComparison]:
    """How the second experiment differs from the first, metric by metric, over the items that both ran."""
    first, second = await asyncio.gather(
        reads.named(asked.dataset_name, asked.first), reads.named(asked.dataset_name, asked.second)
    )
    # Bootstraps take a while, and the loop has others to serve.
    return wire_answer(await asyncio.to_thread(experiments.comparison, first, second, asked))
