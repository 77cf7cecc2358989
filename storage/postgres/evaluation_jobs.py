"""The queue of evaluation jobs: added once, taken under a lease, noted step by step."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.evaluation_jobs import OPEN, EvaluationJob, Execution, JobState, NewJob, Target
from heliograph.domain.evaluation_rules import RuleTarget
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from storage.postgres.connection import Database
from storage.postgres.tables.evaluation_jobs import EvaluationJobRow
from storage.postgres.tables.evaluation_rules import EvaluationRuleRow

_AT_ONCE = 2_000
# Jobs of a paused rule wait for its being resumed.
_RULE_IS_ACTIVE = (
    select(EvaluationRuleRow.id)
    .where(
        EvaluationRuleRow.id == EvaluationJobRow.rule_id,
        EvaluationRuleRow.is_enabled,
        EvaluationRuleRow.blocked_reason.is_(None),
    )
    .exists()
)


class EvaluationJobs:
    """The jobs of all projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, jobs: Sequence[NewJob]) -> int:
        """Keep those that are new, and return how many that are.

        A job on a target that has grown takes the place of one that still waits for it to come to rest.
        """
        added = 0
        for start in range(0, len(jobs), _AT_ONCE):
            added += await self._add(jobs[start : start + _AT_ONCE])
        return added

    async def take(self, limit: int, lease: timedelta) -> list[EvaluationJob]:
        """Take jobs that are due, also those whose worker has died, for as long as the lease."""
        now = func.clock_timestamp()
        due = (
            select(EvaluationJobRow.id)
            .where(EvaluationJobRow.status.in_(OPEN), EvaluationJobRow.due_at <= now, _RULE_IS_ACTIVE)
            .order_by(EvaluationJobRow.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        # While it runs, it is due again at the end of its lease.
        taking = (
            update(EvaluationJobRow)
            .where(EvaluationJobRow.id.in_(select(due.c.id)))
            .values(status=JobState.RUNNING, due_at=now + lease, attempts=EvaluationJobRow.attempts + 1)
            .returning(EvaluationJobRow)
        )
        async with self._database.transaction() as session:
            return [_job(row) for row in await session.scalars(taking)]

    async def note_asked(self, job_id: str) -> None:
        """Note, before the judge is asked, that from now on it may have cost something."""
        await self._change(job_id, asked_at=func.clock_timestamp())

    async def note_verdict(self, job_id: str, verdict: Mapping[str, Any]) -> None:
        """Note what came of it, before scores are written."""
        await self._change(job_id, verdict=dict(verdict))

    async def complete(self, job_id: str, score_ids: Sequence[str], execution_trace_id: str) -> None:
        """Note that its scores are durable."""
        await self._finish(job_id, JobState.COMPLETED, score_ids=list(score_ids), execution_trace_id=execution_trace_id)

    async def skip(self, job_id: str, reason: str) -> None:
        """Note that there was nothing to judge."""
        await self._finish(job_id, JobState.SKIPPED, message=reason)

    async def fail(self, job_id: str, cause: str, message: str, *, execution_trace_id: str = "") -> None:
        """Note why it gave no scores and will not be tried again."""
        await self._finish(job_id, JobState.ERROR, cause=cause, message=message, execution_trace_id=execution_trace_id)

    async def postpone(self, job_id: str, wait: timedelta, *, cause: str, message: str) -> None:
        """Try again later; what was asked is known to have failed."""
        due_at = func.clock_timestamp() + wait
        await self._change(job_id, status=JobState.PENDING, due_at=due_at, asked_at=None, cause=cause, message=message)

    async def put_back(self, job_id: str, wait: timedelta, message: str) -> None:
        """Have it taken again later, with what is noted of it, since a store of ours was away."""
        await self._change(
            job_id,
            status=JobState.PENDING,
            due_at=func.clock_timestamp() + wait,
            attempts=EvaluationJobRow.attempts - 1,
            message=message,
        )

    async def latest_failures(self, rule_id: str, count: int) -> list[str]:
        """Return the causes of a rule's last so many jobs that ended, if each of them failed; else nothing."""
        ended = (EvaluationJobRow.rule_id == rule_id) & EvaluationJobRow.finished_at.is_not(None)
        query = select(EvaluationJobRow.status, EvaluationJobRow.message).where(ended)
        async with self._database.transaction() as session:
            found = (await session.execute(query.order_by(EvaluationJobRow.finished_at.desc()).limit(count))).all()
        if len(found) < count or any(status != JobState.ERROR for status, _ in found):
            return []
        return [message for _, message in found]

    async def _add(self, jobs: Sequence[NewJob]) -> int:
        growing = [(job.rule_id, job.target.id) for job in jobs if not job.target.is_whole]
        waiting = delete(EvaluationJobRow).where(
            EvaluationJobRow.status == JobState.PENDING,
            EvaluationJobRow.attempts == 0,
            tuple_(EvaluationJobRow.rule_id, EvaluationJobRow.target_id).in_(growing),
        )
        adding = insert(EvaluationJobRow).values([_values(job) for job in {job.id: job for job in jobs}.values()])
        async with self._database.transaction() as session:
            if growing:
                await session.execute(waiting)
            return len((await session.scalars(adding.on_conflict_do_nothing().returning(EvaluationJobRow.id))).all())

    async def _finish(self, job_id: str, state: JobState, **values: Any) -> None:
        await self._change(job_id, status=state, finished_at=func.clock_timestamp(), **values)

    async def _change(self, job_id: str, **values: Any) -> None:
        changing = update(EvaluationJobRow).where(EvaluationJobRow.id == job_id).values(**values)
        async with self._database.transaction() as session:
            await session.execute(changing)


class RuleExecutions:
    """The jobs of one rule, for people."""

    def __init__(self, database: Database, project_id: ProjectId, rule_id: str) -> None:
        self._database = database
        self._own = (EvaluationJobRow.project_id == project_id) & (EvaluationJobRow.rule_id == rule_id)

    async def retry(self) -> int:
        """Have every failed one tried again; return how many."""
        trying = update(EvaluationJobRow).where(self._own, EvaluationJobRow.status == JobState.ERROR)
        fresh = {
            "status": JobState.PENDING, "due_at": func.clock_timestamp(), "attempts": 0, "asked_at": None,
            "cause": "", "message": "", "finished_at": None,
        }  # fmt: skip
        async with self._database.transaction() as session:
            return len((await session.scalars(trying.values(fresh).returning(EvaluationJobRow.id))).all())

    async def page(self, page: Page, state: JobState | None = None) -> tuple[list[Execution], int]:
        """Return one page, the newest first, and how many there are."""
        own = [self._own] if state is None else [self._own, EvaluationJobRow.status == state]
        order = (EvaluationJobRow.created_at.desc(), EvaluationJobRow.id)
        query = select(EvaluationJobRow).where(*own).order_by(*order).limit(page.size).offset(page.offset)
        async with self._database.transaction() as session:
            total = await session.scalar(select(func.count()).select_from(EvaluationJobRow).where(*own))
            return [_execution(row) for row in await session.scalars(query)], total or 0


class ProjectTallies:
    """How many jobs of one project are in which state."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._own = EvaluationJobRow.project_id == project_id

    async def of_rules(self, rule_ids: Sequence[str]) -> dict[str, dict[JobState, int]]:
        """Those of these rules, by rule and state; a rule without jobs has none."""
        counting = select(EvaluationJobRow.rule_id, EvaluationJobRow.status, func.count())
        counting = counting.where(self._own, EvaluationJobRow.rule_id.in_(rule_ids))
        found: dict[str, dict[JobState, int]] = {rule_id: {} for rule_id in rule_ids}
        async with self._database.transaction() as session:
            grouped = await session.execute(counting.group_by(EvaluationJobRow.rule_id, EvaluationJobRow.status))
            for rule_id, status, count in grouped:
                found[rule_id][JobState(status)] = count
        return found


def _values(job: NewJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "project_id": job.project_id,
        "rule_id": job.rule_id,
        "evaluator_id": job.evaluator_id,
        "evaluator_version": job.evaluator_version,
        "target": job.target.kind,
        "target_id": job.target.id,
        "trace_id": job.target.trace_id,
        "target_version": job.target.version,
        "status": JobState.PENDING,
        "due_at": func.clock_timestamp() + job.delay,
        "attempts": 0,
        "cause": "",
        "message": "",
        "score_ids": [],
        "execution_trace_id": "",
    }


def _target(row: EvaluationJobRow) -> Target:
    return Target(RuleTarget(row.target), row.target_id, row.trace_id, int(row.target_version))


def _job(row: EvaluationJobRow) -> EvaluationJob:
    return EvaluationJob(
        id=row.id,
        project_id=ProjectId(row.project_id),
        rule_id=row.rule_id,
        evaluator_id=row.evaluator_id,
        evaluator_version=row.evaluator_version,
        target=_target(row),
        attempts=row.attempts,
        created_at=row.created_at,
        was_asked=row.asked_at is not None,
        verdict=row.verdict,
    )


def _execution(row: EvaluationJobRow) -> Execution:
    return Execution(
        id=row.id,
        evaluator_id=row.evaluator_id,
        target=_target(row),
        state=JobState(row.status),
        attempts=row.attempts,
        cause=row.cause,
        message=row.message,
        score_ids=tuple(row.score_ids),
        execution_trace_id=row.execution_trace_id,
        due_at=row.due_at,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
