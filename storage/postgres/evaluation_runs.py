"""Evaluation runs of one project, as those who asked for them see and steer them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from heliograph.domain.budgets import BudgetStatus
from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.errors import Conflict
from heliograph.domain.evaluation_runs import (
    Estimate,
    EvaluationRun,
    Failure,
    NewRun,
    Place,
    RunProgress,
    RunReport,
    RunState,
)
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.judge_batches import BatchState
from heliograph.domain.not_found import EvaluationRunNotFound
from storage.postgres.budgets import Budgets
from storage.postgres.connection import Database
from storage.postgres.tables.declarative import fresh_id
from storage.postgres.tables.evaluation_runs import EvaluationFailureRow, EvaluationPartRow, EvaluationRunRow
from storage.postgres.tables.judge_batches import BatchAnswerRow, JudgeBatchRow

Period = tuple[datetime | None, datetime | None]
WAITING, CLAIMED, DONE = "waiting", "claimed", "done"
# Which states a change may come from.
_FROM = {
    RunState.RUNNING: (RunState.PLANNED, RunState.RUNNING, RunState.PAUSED, RunState.BLOCKED),
    RunState.PAUSED: (RunState.PAUSED, RunState.PLANNED, RunState.RUNNING, RunState.BLOCKED),
    RunState.CANCELLED: tuple(state for state in RunState if state is not RunState.FINISHED),
}


class EvaluationRuns:
    """The runs of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self._own = EvaluationRunRow.project_id == project_id

    async def plan(self, asked: NewRun, estimate: Estimate, periods: Sequence[Period]) -> EvaluationRun:
        """Keep a run that nothing is done for yet, and how its rows are cut into parts."""
        run_id = fresh_id()
        row = EvaluationRunRow(
            id=run_id, project_id=self._project_id, name=asked.name, table_name=asked.table.value,
            selection=asked.selection.model_dump(mode="json"),
            evaluators=[spec.model_dump(mode="json") for spec in asked.evaluators], budget_units=asked.budget_units,
            sample=asked.selection.sample or 1.0, on_existing=asked.on_existing.value, mode=asked.mode.value,
            state=RunState.PLANNED.value,
            estimate=estimate.model_dump(mode="json"),
        )  # fmt: skip
        places = sorted({spec.place.value for spec in asked.evaluators})
        parts = [
            EvaluationPartRow(run_id=run_id, place=place, part=number, since=since, until=until, state=WAITING)
            for place in places
            for number, (since, until) in enumerate(periods)
        ]
        async with self._database.transaction() as session:
            session.add(row)
            await session.flush()
            session.add_all(parts)
        await Budgets(self._database).open(run_id, asked.budget_units)
        return await self.get(run_id)

    async def get(self, run_id: str) -> EvaluationRun:
        """One run; raises EvaluationRunNotFound."""
        async with self._database.transaction() as session:
            row = await session.scalar(select(EvaluationRunRow).where(self._own, EvaluationRunRow.id == run_id))
        if row is None:
            raise EvaluationRunNotFound(run_id)
        return run_of(row)

    async def page(self, page: Page) -> tuple[list[EvaluationRun], int]:
        """One page, newest first, and how many there are."""
        query = select(EvaluationRunRow).where(self._own)
        query = query.order_by(EvaluationRunRow.created_at.desc(), EvaluationRunRow.id)
        async with self._database.transaction() as session:
            total = await session.scalar(select(func.count()).select_from(EvaluationRunRow).where(self._own))
            rows = await session.scalars(query.limit(page.size).offset(page.offset))
            return [run_of(row) for row in rows], total or 0

    async def open(self, limit: int) -> list[EvaluationRun]:
        """Those that have not ended, newest first."""
        ended = (RunState.FINISHED.value, RunState.CANCELLED.value)
        query = select(EvaluationRunRow).where(self._own, EvaluationRunRow.state.not_in(ended))
        async with self._database.transaction() as session:
            rows = await session.scalars(query.order_by(EvaluationRunRow.created_at.desc()).limit(limit))
            return [run_of(row) for row in rows]

    async def turn(self, run_id: str, state: RunState, *, budget_units: int | None = None) -> EvaluationRun:
        """Start, pause, resume or cancel a run; resuming clears what blocked it, and may raise the budget.

        Raises:
            EvaluationRunNotFound: there is none.
            Conflict: it has ended.
        """
        run = await self.get(run_id)
        values: dict[str, Any] = {"state": state.value, "cause": "", "reason": ""}
        if state is RunState.RUNNING:
            values["started_at"] = func.coalesce(EvaluationRunRow.started_at, func.now())
        if state is RunState.CANCELLED:
            values["finished_at"] = func.now()
        if budget_units is not None:
            values["budget_units"] = budget_units
        changing = update(EvaluationRunRow).where(self._own, EvaluationRunRow.id == run_id)
        changing = changing.where(EvaluationRunRow.state.in_([one.value for one in _FROM[state]])).values(**values)
        if budget_units is not None:
            await Budgets(self._database).open(run_id, budget_units)
        async with self._database.transaction() as session:
            changed = await session.scalar(changing.returning(EvaluationRunRow.id))
        if changed is None:
            raise Conflict("state", f"the run is {run.state}: it cannot be {state} any more")
        return await self.get(run_id)

    async def retry_failed(self, run_id: str) -> int:
        """Have what has failed tried again; returns how much that is. Raises EvaluationRunNotFound."""
        await self.get(run_id)
        failed = select(EvaluationFailureRow).where(EvaluationFailureRow.run_id == run_id)
        answer = BatchAnswerRow
        # What failed, was refused or cut off, and batches that brought nothing: another may.
        is_whole = (answer.answer["finish_reason"].astext == "stop") & (answer.answer["refusal"].astext == "")
        forgetting = delete(answer).where(answer.run_id == run_id, answer.answer.has_key("cause") | ~is_whole)
        batch = JudgeBatchRow
        fruitless = (batch.run_id == run_id) & (batch.state == BatchState.ENDED) & (batch.answered == 0)
        forgiving = update(batch).where(fruitless, batch.reason == "").values(reason="what failed is tried again")
        with_failures = failed.with_only_columns(EvaluationFailureRow.place, EvaluationFailureRow.part).distinct()
        async with self._database.transaction() as session:
            count = await session.scalar(select(func.count()).select_from(failed.subquery())) or 0
            for place, part in (await session.execute(with_failures)).all():
                again = update(EvaluationPartRow).where(
                    EvaluationPartRow.run_id == run_id,
                    EvaluationPartRow.place == place,
                    EvaluationPartRow.part == part,
                    EvaluationPartRow.state == DONE,
                )
                await session.execute(again.values(state=WAITING, is_retry=True))
            if count:
                await session.execute(forgetting)
                await session.execute(forgiving)
                resumed = update(EvaluationRunRow).where(EvaluationRunRow.id == run_id)
                await session.execute(
                    resumed.values(state=RunState.RUNNING.value, cause="", reason="", finished_at=None)
                )  # fmt: skip
        return count

    async def failures(self, run_id: str, *, limit: int, offset: int = 0) -> list[Failure]:
        """What has failed, in a stable order. Raises EvaluationRunNotFound."""
        await self.get(run_id)
        row = EvaluationFailureRow
        query = select(row).where(row.run_id == run_id).limit(limit).offset(offset)
        async with self._database.transaction() as session:
            order = (row.place, row.part, row.evaluator, row.trace_id, row.observation_id)
            rows = await session.scalars(query.order_by(*order))
            return [Failure(one.evaluator, one.trace_id, one.observation_id, one.cause, one.reason) for one in rows]

    async def progress(self, run_ids: Sequence[str]) -> dict[str, RunProgress]:
        """How far each of these runs is."""
        query = select(EvaluationPartRow).where(EvaluationPartRow.run_id.in_(run_ids))
        parts: dict[str, list[EvaluationPartRow]] = {run_id: [] for run_id in run_ids}
        async with self._database.transaction() as session:
            for part in await session.scalars(query):
                parts[part.run_id].append(part)
        budgets = await Budgets(self._database).statuses(run_ids)
        return {run_id: _progress(own, budgets.get(run_id)) for run_id, own in parts.items()}


def _progress(parts: Sequence[EvaluationPartRow], budget: BudgetStatus | None) -> RunProgress:
    report = sum((RunReport.from_json(part.report) for part in parts), RunReport())
    # Evaluators of both places read the same rows.
    rows: Counter[str] = Counter()
    for part in parts:
        rows[part.place] += part.report.get("rows", 0)
    return RunProgress(
        len(parts),
        sum(part.state == DONE for part in parts),
        sum(part.state != DONE and part.place == Place.CLIENT for part in parts),
        replace(report, rows=max(rows.values(), default=0)),
        spent_usd=budget.spent / UNITS_PER_DOLLAR if budget else 0.0,
        reserved_usd=budget.reserved / UNITS_PER_DOLLAR if budget else 0.0,
        unknown_usd=budget.unknown / UNITS_PER_DOLLAR if budget else 0.0,
    )


def run_of(row: EvaluationRunRow) -> EvaluationRun:
    """A run from its row."""
    budget = None if row.budget_units is None else row.budget_units / UNITS_PER_DOLLAR
    asked = NewRun.model_validate(
        {
            "table": row.table_name, "selection": row.selection, "evaluators": row.evaluators, "budget_usd": budget,
            "on_existing": row.on_existing, "mode": row.mode, "name": row.name,
        }
    )  # fmt: skip
    return EvaluationRun(
        id=row.id,
        project_id=ProjectId(row.project_id),
        asked=asked,
        state=RunState(row.state),
        cause=row.cause,
        reason=row.reason,
        estimate=Estimate.model_validate(row.estimate),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
