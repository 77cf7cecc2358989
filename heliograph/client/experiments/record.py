"""The server's record of an experiment, written as its items end."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from heliograph.client.connection import Connection
from heliograph.client.experiments import spans
from heliograph.client.experiments.items import Run
from heliograph.client.experiments.places import span_of
from heliograph.client.experiments.tasks import ItemResult
from heliograph.client.scores import ScoresOfProject
from heliograph.domain.errors import ScoreRefused
from heliograph.domain.evaluators import Outcome

_THREADS = 8


class Record:
    """Writes what came of items. Every step may be repeated: spans, scores and items have ids of their own.

    Args:
        connection: of the project.
        run: whose items they are.
        versions: of the evaluators, by name.
    """

    def __init__(self, connection: Connection, run: Run, versions: Mapping[str, str]) -> None:
        self._connection = connection
        self._scores = ScoresOfProject(connection)
        self._run = run
        self._versions = versions

    def write(self, results: Sequence[ItemResult]) -> None:
        """Return when everything of these results is durable. An item counts as done after its scores, not before.

        Raises:
            Unavailable: the server did not answer for a while; an experiment that is run again does what is not done.
            ScoreRefused: a verdict is no score.
        """
        # 1. The spans: traces of what ran, and of what failed.
        self._connection.request("POST", "/otel/v1/traces", spans.request_of(self._run, results, self._versions))
        # 2. The scores.
        rows = [row for result in results for row in spans.scores_of(result, self._versions)]
        if rows:
            self._refuse(self._scores.send(rows, run=self._run.id).refused, rows)
        # 3. The items: what failed is not done.
        done = [result for result in results if not result.error]
        with ThreadPoolExecutor(_THREADS) as threads:
            for _ in threads.map(self._report, done):
                pass

    def write_summary(self, outcomes: Mapping[str, Outcome], versions: Mapping[str, str]) -> None:
        """Write the verdicts on the whole run."""
        rows = [
            spans.score_row(name, versions[name], outcome) | {"dataset_run_id": self._run.id}
            for name, outcome in outcomes.items()
            if outcome.verdict is not None
        ]
        if rows:
            self._refuse(self._scores.send(rows, run=self._run.id).refused, rows)

    @staticmethod
    def _refuse(refused: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> None:
        for one in refused:
            raise ScoreRefused(str(rows[one.row].get("trace_id", "")), one.reason)

    def _report(self, result: ItemResult) -> None:
        body: dict[str, Any] = {
            "runName": self._run.name,
            "datasetItemId": result.item.id,
            "traceId": result.trace_id,
            "observationId": span_of(result.trace_id),
            "createdAt": result.start.isoformat(),
        }
        if self._run.metadata:
            body["metadata"] = dict(self._run.metadata)
        if self._run.dataset_version is not None:
            body["datasetVersion"] = self._run.dataset_version.isoformat()
        self._connection.request("POST", "/dataset-run-items", body)
