"""Runs over datasets and their items."""

from typing import Annotated, NamedTuple, TypeVar
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Query, Request

from heliograph.domain.datasets import Dataset
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.experiments import DatasetRun, DatasetRunItem
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ObservationId
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.datasets import ProjectDatasets
from serve_apps.api.dependencies import Dependencies, ProjectObservations, QueryDependencies
from serve_apps.api.parameters import Paged, Text
from serve_apps.api.shapes.dataset_runs import (
    DatasetRunItemShape,
    DatasetRunShape,
    RunItemBody,
    WholeDatasetRun,
    run_item_shape,
    run_shape,
    whole_run_shape,
)
from serve_apps.api.shapes.lists import PageOf, Told
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.dataset_runs import DatasetRuns
from storage.postgres.datasets import Datasets
from storage.runs_of_datasets import RunsOfDataset

router = APIRouter(tags=["dataset-runs"])


class NamedRun(NamedTuple):
    """A run in the path of a route."""

    dataset_name: str
    run_name: str


async def _named_run(request: Request, name: Text, run_name: Text) -> NamedRun:
    # Names may hold slashes and the word between them: only the path as it was sent tells where one ends.
    _, _, sent = request.scope.get("raw_path", b"").split(b"?", 1)[0].decode("latin-1").rpartition("/datasets/")
    parts = sent.split("/")
    return NamedRun(unquote(parts[0]), unquote(parts[2])) if len(parts) == 3 else NamedRun(name, run_name)


class RunsByDataset:
    """The runs over the datasets of a project."""

    def __init__(self, datasets: Datasets, dependencies: QueryDependencies) -> None:
        self._datasets = datasets
        self._dependencies = dependencies

    async def named(self, name: str) -> RunsOfDataset:
        """Those of the dataset of a name; raises DatasetNotFound."""
        return await self._of(await self._datasets.get(name))

    async def by_id(self, dataset_id: str) -> RunsOfDataset:
        """Those of a dataset; raises DatasetNotFound."""
        return await self._of(await self._datasets.by_id(dataset_id))

    async def _of(self, dataset: Dataset) -> RunsOfDataset:
        return await RunsOfDataset.read(self._dependencies.database, self._dependencies.clickhouse, dataset)


async def _runs_by_dataset(datasets: ProjectDatasets, dependencies: Dependencies) -> RunsByDataset:
    return RunsByDataset(datasets, dependencies)


async def _reported_runs(dependencies: Dependencies, principal: ProjectPrincipal) -> DatasetRuns:
    return DatasetRuns(dependencies.database, principal.project_id)


ProjectRuns = Annotated[RunsByDataset, Depends(_runs_by_dataset)]
ReportedRuns = Annotated[DatasetRuns, Depends(_reported_runs)]


@router.post("/dataset-run-items")
async def put_run_item(
    body: RunItemBody, runs: ReportedRuns, observations: ProjectObservations
) -> Answer[DatasetRunItemShape]:
    """Note that an item ran, in a trace or in one of its observations; the run of that name is created with it."""
    trace_id = body.trace_id
    if trace_id is None:
        if body.observation_id is None:
            raise InvalidRequest("traceId", "name the trace in which the item ran")
        trace_id = (await observations.get(ObservationId(body.observation_id))).trace_id
    return answer(run_item_shape(await runs.report(body.reported(trace_id))))


class RunItems(Paged):
    """The run whose items are listed."""

    dataset_id: Text
    run_name: Text


@router.get("/dataset-run-items")
async def list_run_items(
    asked: Annotated[RunItems, Query()], by_dataset: ProjectRuns
) -> Answer[PageOf[DatasetRunItemShape]]:
    """One page of the items of a run, in the order in which they ran."""
    runs = await by_dataset.by_id(asked.dataset_id)
    items = [item for run in await runs.named(asked.run_name) for item in await runs.items(run)]
    page = asked.asked_page
    return page_answer(list(map(run_item_shape, _on(page, items))), page, len(items))


@router.get("/datasets/{name:path}/runs")
async def list_runs(
    name: Text, asked: Annotated[Paged, Query()], by_dataset: ProjectRuns
) -> Answer[PageOf[DatasetRunShape]]:
    """One page of the runs over a dataset, the oldest first."""
    runs = await by_dataset.named(name)
    found, page = await runs.all(), asked.asked_page
    return page_answer([run_shape(run, runs.dataset.name) for run in _on(page, found)], page, len(found))


@router.get("/datasets/{name:path}/runs/{run_name:path}")
async def get_run(of: Annotated[NamedRun, Depends(_named_run)], by_dataset: ProjectRuns) -> Answer[WholeDatasetRun]:
    """One run with its items."""
    runs = await by_dataset.named(of.dataset_name)
    run, *_ = await runs.named(of.run_name)
    return answer(whole_run_shape(run, runs.dataset.name, await runs.items(run)))


@router.delete("/datasets/{name:path}/runs/{run_name:path}")
async def delete_run(of: Annotated[NamedRun, Depends(_named_run)], by_dataset: ProjectRuns) -> Answer[Told]:
    """Delete a run and its items; the traces in which they ran stay."""
    await (await by_dataset.named(of.dataset_name)).delete(of.run_name)
    return answer({"message": "Dataset run successfully deleted"})


_Found = TypeVar("_Found", DatasetRun, DatasetRunItem)


def _on(page: Page, found: list[_Found]) -> list[_Found]:
    return found[page.offset : page.offset + page.size]
