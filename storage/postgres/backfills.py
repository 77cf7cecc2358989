"""Backfills and what their parts have reported: what one that was killed is resumed from."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.backfills import Backfill, BackfillKind, BackfillProgress, DayPart, PartReport
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.lane_errors import BackfillRunning
from heliograph.domain.not_found import BackfillNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.backfills import BackfillPartRow, BackfillRow
from storage.postgres.tables.declarative import fresh_id
from storage.postgres.tables.projects import ProjectRow

_LISTED = 100


class Backfills:
    """All backfills of all projects, for whoever carries them out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def exclusively(self, backfill: Backfill) -> AsyncIterator[None]:
        """Be the only one that does this kind of work on the project; raises BackfillRunning when another does."""
        async with self._database.lock(f"{backfill.kind} of {backfill.project_id}") as lock:
            if lock is None:
                raise BackfillRunning(backfill.kind.value, backfill.project_id)
            yield

    async def unfinished(self, kind: BackfillKind) -> list[Backfill]:
        """Those of a kind that were asked for and have not ended, oldest first."""
        query = select(BackfillRow).where(BackfillRow.kind == kind.value, BackfillRow.finished_at.is_(None))
        async with self._database.transaction() as session:
            return [_backfill(row) for row in await session.scalars(query.order_by(BackfillRow.created_at))]

    async def expired(self, kind: BackfillKind, before: datetime) -> list[Backfill]:
        """Those of a kind that ended before a time, and all of projects that were ended."""
        query = select(BackfillRow).join(ProjectRow, ProjectRow.id == BackfillRow.project_id)
        query = query.where(
            BackfillRow.kind == kind.value, or_(BackfillRow.finished_at < before, ProjectRow.deleted_at.is_not(None))
        )
        async with self._database.transaction() as session:
            return [_backfill(row) for row in await session.scalars(query)]

    async def remove(self, backfill_id: str) -> None:
        """Forget one, with the reports of its parts."""
        async with self._database.transaction() as session:
            await session.execute(delete(BackfillRow).where(BackfillRow.id == backfill_id))

    async def cut(self, backfill_id: str, parts: Sequence[DayPart]) -> Backfill:
        """Note how it is cut, unless it was."""
        cutting = update(BackfillRow).where(BackfillRow.id == backfill_id, BackfillRow.parts.is_(None))
        async with self._database.transaction() as session:
            await session.execute(cutting.values(parts=[part.to_json() for part in parts]))
            return _backfill(await session.get_one(BackfillRow, backfill_id))

    async def found(self, backfill_id: str, part: int, report: Mapping[str, Any]) -> None:
        """Note what a part found, before it stores anything: of a repetition the first counts."""
        noting = insert(BackfillPartRow).values(backfill_id=backfill_id, part=part, found=dict(report))
        async with self._database.transaction() as session:
            await session.execute(noting.on_conflict_do_nothing())

    async def stored(self, backfill_id: str, part: int, report: Mapping[str, Any]) -> None:
        """Note that a part is done, and what it stored."""
        done = update(BackfillPartRow).where(BackfillPartRow.backfill_id == backfill_id, BackfillPartRow.part == part)
        async with self._database.transaction() as session:
            await session.execute(done.values(stored=dict(report)))

    async def reports(self, backfill_id: str) -> dict[int, PartReport]:
        """The report of each part that has one."""
        query = select(BackfillPartRow).where(BackfillPartRow.backfill_id == backfill_id)
        async with self._database.transaction() as session:
            return {row.part: PartReport(row.found, row.stored) for row in await session.scalars(query)}

    async def finish(self, backfill_id: str, error: str = "") -> None:
        """Note that every part is done, or why it will not be."""
        ending = update(BackfillRow).where(BackfillRow.id == backfill_id)
        async with self._database.transaction() as session:
            await session.execute(ending.values(finished_at=func.now(), error=error))


class ProjectBackfills:
    """The backfills of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id

    async def begin(self, kind: BackfillKind, asked: Mapping[str, Any], *, is_trial: bool) -> Backfill:
        """The backfill of just this that has not ended, or a new one."""
        same = select(BackfillRow).where(
            BackfillRow.project_id == self._project_id,
            BackfillRow.kind == kind.value,
            BackfillRow.asked == dict(asked),
            BackfillRow.is_trial == is_trial,
            BackfillRow.finished_at.is_(None),
        )
        async with self._database.transaction() as session:
            row = await session.scalar(same.order_by(BackfillRow.created_at.desc()).limit(1))
            if row is None:
                row = BackfillRow(
                    id=fresh_id(),
                    project_id=self._project_id,
                    kind=kind.value,
                    asked=dict(asked),
                    is_trial=is_trial,
                    error="",
                )
                session.add(row)
                await session.flush()
                await session.refresh(row)
        return _backfill(row)

    async def get(self, kind: BackfillKind, backfill_id: str) -> Backfill:
        """One of a kind; raises BackfillNotFound."""
        query = select(BackfillRow).where(BackfillRow.project_id == self._project_id, BackfillRow.kind == kind.value)
        async with self._database.transaction() as session:
            row = await session.scalar(query.where(BackfillRow.id == backfill_id))
        if row is None:
            raise BackfillNotFound(backfill_id)
        return _backfill(row)

    async def reports(self, backfill: Backfill) -> dict[int, PartReport]:
        """The report of each part of one of them that has one."""
        return await Backfills(self._database).reports(backfill.id)

    async def newest(self, kind: BackfillKind) -> list[Backfill]:
        """The last hundred of a kind, newest first."""
        query = select(BackfillRow).where(BackfillRow.project_id == self._project_id, BackfillRow.kind == kind.value)
        async with self._database.transaction() as session:
            rows = await session.scalars(query.order_by(BackfillRow.created_at.desc()).limit(_LISTED))
            return [_backfill(row) for row in rows]

    async def progress(self, limit: int) -> list[tuple[Backfill, BackfillProgress]]:
        """The last ones of every kind, newest first, and how far each is."""
        counts = select(func.count(), func.count(BackfillPartRow.stored))
        counted = counts.where(BackfillPartRow.backfill_id == BackfillRow.id).lateral()
        query = select(BackfillRow, *counted.c).where(BackfillRow.project_id == self._project_id)
        query = query.join(counted, true()).order_by(BackfillRow.created_at.desc()).limit(limit)
        async with self._database.transaction() as session:
            found = [(_backfill(row), examined, done) for row, examined, done in await session.execute(query)]
        return [(each, BackfillProgress(examined, done, len(each.parts or ()))) for each, examined, done in found]


def _backfill(row: BackfillRow) -> Backfill:
    return Backfill(
        id=row.id,
        project_id=ProjectId(row.project_id),
        kind=BackfillKind(row.kind),
        asked=row.asked,
        is_trial=row.is_trial,
        parts=None if row.parts is None else [DayPart.from_json(part) for part in row.parts],
        created_at=row.created_at,
        finished_at=row.finished_at,
        error=row.error,
    )
