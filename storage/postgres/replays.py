"""Replays and what their parts have reported: what a replay that was killed is resumed from."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import ReplayRunning
from heliograph.domain.replays import Replay, ReplayProgress, ReplayReport
from storage.postgres.connection import Database
from storage.postgres.tables.declarative import fresh_id
from storage.postgres.tables.replays import ReplayPartRow, ReplayRow


class Replays:
    """All replays of all projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def exclusively(self, project_id: ProjectId) -> AsyncIterator[None]:
        """Be the only one that replays the project; raises ReplayRunning when another does."""
        async with self._database.lock(f"replay of {project_id}") as lock:
            if lock is None:
                raise ReplayRunning(project_id)
            yield

    async def unfinished(
        self, project_id: ProjectId, start: datetime | None, end: datetime | None, *, is_trial: bool
    ) -> Replay | None:
        """Return the last replay of just this that was begun and has not ended."""
        query = select(ReplayRow).where(
            ReplayRow.project_id == project_id,
            ReplayRow.received_from.is_not_distinct_from(start),
            ReplayRow.received_before.is_not_distinct_from(end),
            ReplayRow.is_trial == is_trial,
            ReplayRow.finished_at.is_(None),
        )
        async with self._database.transaction() as session:
            row = await session.scalar(query.order_by(ReplayRow.created_at.desc()).limit(1))
        return _replay(row) if row is not None else None

    async def begin(
        self,
        project_id: ProjectId,
        start: datetime | None,
        end: datetime | None,
        *,
        is_trial: bool,
        through: dict[LaneNumber, int],
        bounds: Sequence[str],
    ) -> Replay:
        """Note a replay and how it is cut."""
        row = ReplayRow(
            id=fresh_id(),
            project_id=project_id,
            received_from=start,
            received_before=end,
            is_trial=is_trial,
            plan={"through": {str(lane): last for lane, last in through.items()}, "bounds": list(bounds)},
        )
        async with self._database.transaction() as session:
            session.add(row)
        return _replay(row)

    async def found(self, replay_id: str, part: int, report: ReplayReport) -> None:
        """Note what a part found, before it stores anything: of a repetition the first counts."""
        noting = insert(ReplayPartRow).values(replay_id=replay_id, part=part, found=report.to_json())
        async with self._database.transaction() as session:
            await session.execute(noting.on_conflict_do_nothing())

    async def stored(self, replay_id: str, part: int, report: ReplayReport) -> None:
        """Note that a part is done, and what it stored."""
        done = update(ReplayPartRow).where(ReplayPartRow.replay_id == replay_id, ReplayPartRow.part == part)
        async with self._database.transaction() as session:
            await session.execute(done.values(stored=report.to_json()))

    async def done(self, replay_id: str) -> dict[int, ReplayReport]:
        """Return the report of each part that is done."""
        query = select(ReplayPartRow).where(ReplayPartRow.replay_id == replay_id, ReplayPartRow.stored.is_not(None))
        async with self._database.transaction() as session:
            return {row.part: _report(row.found) + _report(row.stored or {}) for row in await session.scalars(query)}

    async def finish(self, replay_id: str) -> None:
        """Note that every part is done."""
        async with self._database.transaction() as session:
            await session.execute(update(ReplayRow).where(ReplayRow.id == replay_id).values(finished_at=func.now()))


class ProjectReplays:
    """The replays of one project, as its operators see them."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._own = ReplayRow.project_id == project_id

    async def newest(self, limit: int) -> list[ReplayProgress]:
        """The last ones, newest first, and how far each is."""
        done = select(func.count()).where(ReplayPartRow.replay_id == ReplayRow.id, ReplayPartRow.stored.is_not(None))
        query = select(ReplayRow, done.scalar_subquery()).where(self._own)
        async with self._database.transaction() as session:
            rows = await session.execute(query.order_by(ReplayRow.created_at.desc()).limit(limit))
            return [ReplayProgress(_replay(row), count, row.created_at, row.finished_at) for row, count in rows]


def _report(found: dict[str, Any]) -> ReplayReport:
    return ReplayReport.from_json(found)


def _replay(row: ReplayRow) -> Replay:
    return Replay(
        id=row.id,
        project_id=ProjectId(row.project_id),
        start=row.received_from,
        end=row.received_before,
        is_trial=row.is_trial,
        through={LaneNumber(int(lane)): last for lane, last in row.plan["through"].items()},
        bounds=tuple(row.plan["bounds"]),
    )
