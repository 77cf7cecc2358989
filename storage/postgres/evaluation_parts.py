"""The parts of evaluation runs: claimed by whoever evaluates, kept by a sign of life, and done once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.evaluation_runs import EvaluationPart, EvaluationRun, Failure, Place, RunReport, RunState
from heliograph.domain.rule_specs import TargetKey
from storage.postgres.budgets import Budgets
from storage.postgres.connection import Database
from storage.postgres.evaluation_runs import CLAIMED, DONE, WAITING, run_of
from storage.postgres.tables.evaluation_runs import EvaluationFailureRow, EvaluationPartRow, EvaluationRunRow

# Who gives no sign of life for so long has died.
LEASE = timedelta(seconds=20)
# Until the last scores of whoever gave a part back can be read.
_REST = timedelta(seconds=3)
_FAILURES_AT_ONCE = 1_000
_Targets = Mapping[str, frozenset[TargetKey]]


class EvaluationParts:
    """The parts of all runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def running(self) -> list[EvaluationRun]:
        """The runs for which the server has something to do, oldest first."""
        part = EvaluationPartRow
        open_parts = exists().where(part.run_id == EvaluationRunRow.id, part.place == Place.SERVER, part.state != DONE)
        query = select(EvaluationRunRow).where(EvaluationRunRow.state == RunState.RUNNING.value, open_parts)
        async with self._database.transaction() as session:
            return [run_of(row) for row in await session.scalars(query.order_by(EvaluationRunRow.created_at))]

    async def claimable(self, run_id: str, place: Place) -> list[int]:
        """The parts that may be claimed now."""
        query = select(EvaluationPartRow.part).where(_of(run_id, place), _is_free())
        async with self._database.transaction() as session:
            return list(await session.scalars(query.order_by(EvaluationPartRow.part)))

    async def claim(self, run_id: str, place: Place, part: int | None = None) -> EvaluationPart | None:
        """Take a part, a certain or any one; None when there is none that is free, or the run does not run.

        What its last holder had reserved, should it have died, counts as spent.
        """
        is_running = exists().where(EvaluationRunRow.id == run_id, EvaluationRunRow.state == RunState.RUNNING.value)
        query = select(EvaluationPartRow).where(_of(run_id, place), _is_free(), is_running)
        if part is not None:
            query = query.where(EvaluationPartRow.part == part)
        query = query.order_by(EvaluationPartRow.part).limit(1).with_for_update(skip_locked=True)
        async with self._database.transaction() as session:
            row = await session.scalar(query)
            if row is None:
                return None
            last = _part(row)
            row.state, row.attempt = CLAIMED, row.attempt + 1
            row.claimed_until = func.now() + LEASE
            claimed = _part(row)
        await Budgets(self._database).forfeit(run_id, [last.holder])
        return claimed

    async def keep(self, part: EvaluationPart, report: RunReport) -> bool:
        """Give a sign of life, and tell how far it is; returns whether to go on: it is still ours, and the run runs."""
        keeping = update(EvaluationPartRow).where(_held(part))
        values: dict[str, Any] = {"claimed_until": func.now() + LEASE}
        if not part.is_retry:
            values["report"] = report.to_json()
        state = select(EvaluationRunRow.state).where(EvaluationRunRow.id == part.run_id)
        async with self._database.transaction() as session:
            kept = await session.scalar(keeping.values(**values).returning(EvaluationPartRow.part))
            return kept is not None and await session.scalar(state) == RunState.RUNNING.value

    async def give_back(self, part: EvaluationPart, rest: timedelta = _REST) -> None:
        """Leave a part to whoever claims it next, after a rest."""
        giving = update(EvaluationPartRow).where(_held(part))
        async with self._database.transaction() as session:
            await session.execute(giving.values(state=WAITING, claimed_until=func.now() + rest))

    async def finish(self, part: EvaluationPart, report: RunReport, failures: Sequence[Failure]) -> bool:
        """Note that a part is done and what failed in it, and end the run with its last part.

        Returns:
            Whether it was still ours; if not, nothing is noted.
        """
        holding = select(EvaluationPartRow).where(_held(part)).with_for_update()
        async with self._database.transaction() as session:
            row = await session.scalar(holding)
            if row is None:
                return False
            before = RunReport.from_json(row.report).without_failures() if part.is_retry else RunReport()
            row.report = (before + report).to_json()
            row.state, row.is_retry, row.claimed_until = DONE, False, None
            await session.execute(delete(EvaluationFailureRow).where(_failures_of(part)))
            for start in range(0, len(failures), _FAILURES_AT_ONCE):
                rows = [_failure_row(part, failure) for failure in failures[start : start + _FAILURES_AT_ONCE]]
                await session.execute(insert(EvaluationFailureRow).on_conflict_do_nothing(), rows)
        await self._end(part.run_id)
        return True

    async def block(self, run_id: str, cause: str, reason: str) -> None:
        """Have a run wait for a person, and say why."""
        blocking = update(EvaluationRunRow).where(
            EvaluationRunRow.id == run_id, EvaluationRunRow.state == RunState.RUNNING.value
        )
        async with self._database.transaction() as session:
            await session.execute(blocking.values(state=RunState.BLOCKED.value, cause=cause, reason=reason[:1_000]))

    async def failed_targets(self, part: EvaluationPart) -> _Targets:
        """By score, what failed when the part was done last."""
        found: dict[str, set[TargetKey]] = {}
        async with self._database.transaction() as session:
            for row in await session.scalars(select(EvaluationFailureRow).where(_failures_of(part))):
                found.setdefault(row.evaluator, set()).add(TargetKey(row.trace_id, row.observation_id))
        return {name: frozenset(targets) for name, targets in found.items()}

    async def _end(self, run_id: str) -> None:
        left = exists().where(EvaluationPartRow.run_id == run_id, EvaluationPartRow.state != DONE)
        ending = update(EvaluationRunRow).where(
            EvaluationRunRow.id == run_id, EvaluationRunRow.state == RunState.RUNNING.value, ~left
        )
        async with self._database.transaction() as session:
            await session.execute(ending.values(state=RunState.FINISHED.value, finished_at=func.now()))


def _of(run_id: str, place: Place) -> ColumnElement[bool]:
    return and_(EvaluationPartRow.run_id == run_id, EvaluationPartRow.place == place.value)


def _held(part: EvaluationPart) -> ColumnElement[bool]:
    row = EvaluationPartRow
    return and_(
        _of(part.run_id, part.place), row.part == part.part, row.attempt == part.attempt, row.state == CLAIMED
    )  # fmt: skip


def _is_free() -> ColumnElement[bool]:
    until = EvaluationPartRow.claimed_until
    return and_(EvaluationPartRow.state != DONE, or_(until.is_(None), until < func.now()))


def _failures_of(part: EvaluationPart) -> ColumnElement[bool]:
    row = EvaluationFailureRow
    return and_(row.run_id == part.run_id, row.place == part.place.value, row.part == part.part)


def _failure_row(part: EvaluationPart, failure: Failure) -> dict[str, Any]:
    return {
        "run_id": part.run_id, "place": part.place.value, "part": part.part, "evaluator": failure.evaluator,
        **failure.target._asdict(), "cause": failure.cause,
        "reason": failure.reason[:1_000].replace("\0", ""),
    }  # fmt: skip


def _part(row: EvaluationPartRow) -> EvaluationPart:
    return EvaluationPart(row.run_id, Place(row.place), row.part, row.since, row.until, row.attempt, row.is_retry)
