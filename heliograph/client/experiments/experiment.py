"""An experiment that ran: what it came to, and how it differs from another."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from heliograph.client.connection import Connection
from heliograph.client.experiments.items import Run
from heliograph.client.experiments.tasks import ItemResult
from heliograph.client.figures import Figures
from heliograph.domain.comparisons import (
    ComparisonQuestion,
    Control,
    ExperimentComparison,
    ExperimentSummary,
    OnVersionChange,
)


class Experiment:
    """An experiment that the server knows, by its dataset and its name.

    Example:
        >>> project.experiment_named("qa/hard", "prompt 4").compare("prompt 3")
    """

    def __init__(self, connection: Connection, dataset_name: str, name: str) -> None:
        self._connection = connection
        self.dataset_name = dataset_name
        self.name = name

    def summary(self) -> Figures[ExperimentSummary]:
        """What it came to: one row a metric, with its mean and bootstrap interval, n, failed and skipped.

        Raises:
            NotFound: the server knows no such experiment.
        """
        asked = urlencode({"datasetName": self.dataset_name, "runName": self.name})
        answer = ExperimentSummary.model_validate(self._connection.request("GET", f"/experiment-summaries?{asked}"))
        rows = (
            {
                "metric": metric.name,
                "mean": metric.mean,
                "n": metric.mean.counts.n,
                "failed": metric.mean.counts.failed,
                "skipped": metric.mean.counts.skipped,
                "version": metric.version,
                "mixes_versions": bool(metric.other_versions),
            }
            for metric in answer.metrics
        )
        return Figures.of(answer, rows, f"{self.name}: {answer.items} items, {answer.failed} failed")

    def compare(
        self,
        baseline: "Experiment | str",
        *,
        confidence: float = 0.95,
        control: Control = "holm",
        on_version_change: OnVersionChange = "refuse",
        with_items: bool = False,
    ) -> Figures[ExperimentComparison]:
        """How this experiment differs from another one over the same dataset, item by item.

        One row a metric, cost and latency among them: both means, the mean difference with its bootstrap interval,
        McNemar's or Wilcoxon's test with its p-value as it is and adjusted, wins, ties and losses, and the smallest
        difference that so many items could have shown.

        Args:
            baseline: the other one, or its name.
            confidence: of the intervals.
            control: over all metrics: `"holm"`, or `"benjamini-hochberg"`.
            on_version_change: `"refuse"` leaves out metrics that two versions of an evaluator gave, and says so;
                `"mark"` compares them, and says so.
            with_items: whether `answer.items` lists the single differences, those that lost most first.

        Raises:
            NotFound: the server does not know one of them.
        """
        first = baseline if isinstance(baseline, str) else baseline.name
        asked = ComparisonQuestion(
            dataset_name=self.dataset_name,
            first=first,
            second=self.name,
            confidence=confidence,
            control=control,
            on_version_change=on_version_change,
            with_items=with_items,
        )
        body = asked.model_dump(mode="json")
        answer = ExperimentComparison.model_validate(
            self._connection.request("POST", "/experiment-comparisons", body)
        )  # fmt: skip
        rows = ({**dict(one), "is_across_versions": one.is_across_versions} for one in answer.metrics)
        return Figures.of(answer, rows, f"{self.name} against {first}: {answer.paired_items} items of both")

    def __repr__(self) -> str:
        return f"Experiment({self.dataset_name!r}, {self.name!r})"


class ExperimentRun(Experiment):
    """An experiment that was run here, with what came of its items in this process.

    Attributes:
        results: of the items that this run did; those that were done before are on the server.
        resumed: how many had been done before.
    """

    def __init__(
        self, connection: Connection, run: Run, results: Sequence[ItemResult], *, resumed: int
    ) -> None:  # fmt: skip
        super().__init__(connection, run.dataset_name, run.name)
        self.id = run.id
        self.results = list(results)
        self.resumed = resumed

    @property
    def failures(self) -> list[ItemResult]:
        """Items whose task raised: the same experiment, run again, does these and no others."""
        return [result for result in self.results if result.error]

    def to_pandas(self) -> Any:
        """One row an item of this run: its input, output, error, trace and verdicts."""
        import pandas as pd  # noqa: PLC0415 - an optional dependency

        return pd.DataFrame([_shown(result) for result in self.results])

    def _repr_html_(self) -> str:
        rows = [{name: str(value) for name, value in _shown(result).items()} for result in self.results]
        return Figures.of(self, rows, f"{self.name}: {len(rows)} items run, {self.resumed} before")._repr_html_()


def _shown(result: ItemResult) -> dict[str, Any]:
    verdicts = {
        name: outcome.verdict.value if outcome.verdict is not None else None
        for name, outcome in result.outcomes.items()
    }
    item = result.item
    fixed = {"item": item.id, "input": item.input, "expected": item.expected, "output": result.output}
    told = {"error": result.error, "latency_seconds": result.latency_seconds, "trace": result.trace_id}
    return {**fixed, **told, **verdicts}
