"""Parts of evaluation runs whose evaluators are in this process: claimed through the API, and done here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from heliograph.client.asked import Asked
from heliograph.client.columns import Where
from heliograph.client.connection import Connection
from heliograph.client.scores import ScoresOfProject
from heliograph.client.selections import Selection
from heliograph.domain import filters
from heliograph.domain.errors import Conflict, InvalidRequest
from heliograph.domain.evaluation_runs import RUN_KEY, EvaluationPart, EvaluatorSpec, Failure, NewRun, RunReport
from heliograph.domain.rule_specs import TargetKey
from heliograph.domain.selections import SelectedTable
from heliograph.evaluation_part import PartEvaluation, PartWork
from heliograph.evaluation_targets import targets_of
from heliograph.run_evaluator import RunEvaluator

_IDS_AT_ONCE = 500
_FAILURES_SENT = 10_000


class RunWorker:
    """Carries out parts of one run, one after the other.

    Args:
        connection: of the project.
        run_id: which run.
        asked: what it is to do.
        evaluators: those of this process.
    """

    def __init__(
        self, connection: Connection, run_id: str, asked: NewRun, *, evaluators: Sequence[RunEvaluator]
    ) -> None:  # fmt: skip
        self._connection, self._run_id, self._asked = connection, run_id, asked
        self._evaluators = list(evaluators)

    def work(self) -> int:
        """Carry out parts until there is none to claim; returns how many were done. It takes this thread."""
        done = 0
        while (claimed := self._claim()) is not None:
            part, failed = claimed
            ledger = _Ledger(self._connection, failed)
            columns = tuple(dict.fromkeys(name for one in self._evaluators for name in one.spec.columns))
            work = PartWork(
                self._asked.table,
                self._asked.on_existing,
                _Targets(self._connection, self._asked, columns),
                _Scores(self._connection),
                ledger,
            )
            done += asyncio.run(PartEvaluation(part, self._evaluators, work).run())
        return done

    def _claim(self) -> tuple[EvaluationPart, Mapping[str, frozenset[TargetKey]]] | None:
        found = self._connection.request("POST", f"/evaluation-runs/{self._run_id}/claims")
        if found["part"] is None:
            return None
        failed = {
            name: frozenset(TargetKey(*target) for target in targets) for name, targets in found["failed"].items()
        }
        return EvaluationPart(**found["part"]), failed


class _Targets:
    def __init__(self, connection: Connection, asked: NewRun, columns: Sequence[str]) -> None:
        self._connection = connection
        self._asked = Asked(asked.table, asked.selection).select(columns)

    async def read(self, part: EvaluationPart) -> AsyncIterator[pa.Table]:
        own: Any = {"since": part.since, "until": part.until}
        selection = Selection(self._connection, self._asked.within(**own))
        yield targets_of(self._asked.table, await asyncio.to_thread(selection.to_arrow))

    async def known(self, spec: EvaluatorSpec, targets: pa.Table) -> Mapping[str, str]:
        del spec
        ids, found = targets["score_id"].to_pylist(), dict[str, str]()
        for start in range(0, len(ids), _IDS_AT_ONCE):
            where = Where(filters.one_of("id", ids[start : start + _IDS_AT_ONCE]))
            asked = Asked.of(SelectedTable.SCORES, since=None, until=None, where=where, select=["id", "metadata"])
            table = await asyncio.to_thread(Selection(self._connection, asked).to_arrow)
            for row in table.to_pylist(maps_as_pydicts="lossy"):
                found[row["id"]] = row["metadata"].get(RUN_KEY, "").strip('"')
        return found


class _Scores:
    def __init__(self, connection: Connection) -> None:
        self._scores = ScoresOfProject(connection)

    async def write(self, scores: pa.Table) -> None:
        report = await asyncio.to_thread(self._scores.write, scores)
        if report.refused:
            raise InvalidRequest("scores", f"{len(report.refused)} were refused: {report.refused[0].reason}")


class _Ledger:
    """What is kept of parts, told to the server."""

    def __init__(self, connection: Connection, failed: Mapping[str, frozenset[TargetKey]]) -> None:
        self._connection, self._failed = connection, failed

    async def keep(self, part: EvaluationPart, report: RunReport) -> bool:
        found = await self._tell(part, "keep", report=report.to_json())
        return bool(found["go_on"])

    async def give_back(self, part: EvaluationPart) -> None:
        await self._tell(part, "give-back")

    async def finish(self, part: EvaluationPart, report: RunReport, failures: Sequence[Failure]) -> bool:
        told = [vars(failure) for failure in failures[:_FAILURES_SENT]]
        try:
            await self._tell(part, "finish", report=report.to_json(), failures=told)
        except Conflict:
            return False
        return True

    async def block(self, run_id: str, cause: str, reason: str) -> None:
        await self._request(f"/evaluation-runs/{run_id}/block", {"cause": cause, "reason": reason})

    async def failed_targets(self, part: EvaluationPart) -> Mapping[str, frozenset[TargetKey]]:
        del part
        return self._failed

    async def _tell(self, part: EvaluationPart, what: str, **told: Any) -> Any:
        body = {"attempt": part.attempt, "is_retry": part.is_retry, **told}
        return await self._request(f"/evaluation-runs/{part.run_id}/parts/{part.part}/{what}", body)

    async def _request(self, path: str, body: Mapping[str, Any]) -> Any:
        ask: Callable[[], Any] = lambda: self._connection.request("POST", path, body)  # noqa: E731 - a thread's work
        return await asyncio.to_thread(ask)
