"""Deletions as they were asked for and reported, and the tombstones that keep the deleted from coming back."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.deletions import Deletion, Removed, SubjectType, Tombstone
from heliograph.domain.identifiers import LaneNumber, ProjectId
from storage.postgres.annotation_deletions import forget
from storage.postgres.connection import Database
from storage.postgres.tables.deletions import DeletionRow, TombstoneRow

_BY_MAINTENANCE = "log"
# One statement takes 65,535 values.
_ROWS_PER_INSERT = 5_000


class Deletions:
    """All deletions of all projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(
        self,
        project_id: ProjectId,
        subject_type: SubjectType,
        subjects: Sequence[str],
        *,
        requested_by: str,
        lanes: Sequence[LaneNumber],
    ) -> Deletion:
        """Note what is to be deleted, before the tombstones that do it are appended to the lanes."""
        row = DeletionRow(
            project_id=project_id,
            subject_type=subject_type.value,
            subjects=list(subjects),
            requested_by=requested_by,
            lanes=list(lanes),
        )
        async with self._database.transaction() as session:
            session.add(row)
            await forget(session, project_id, subject_type, subjects=subjects)
            await session.flush()
            await session.refresh(row)
            return _deletion(row)

    async def get(self, deletion_id: str) -> Deletion:
        """Return one deletion with its report so far."""
        async with self._database.transaction() as session:
            return _deletion(await session.get_one(DeletionRow, deletion_id))

    async def latest(self, limit: int) -> list[Deletion]:
        """Return the deletions asked for last, the newest first."""
        newest = select(DeletionRow).order_by(DeletionRow.requested_at.desc(), DeletionRow.id).limit(limit)
        async with self._database.transaction() as session:
            return [_deletion(row) for row in await session.scalars(newest)]

    async def of_project(self, project_id: ProjectId) -> Deletion | None:
        """Return the last request to delete all of a project, or nothing."""
        whole = (DeletionRow.project_id == project_id, DeletionRow.subject_type == SubjectType.PROJECT.value)
        query = select(DeletionRow).where(*whole).order_by(DeletionRow.requested_at.desc(), DeletionRow.id).limit(1)
        async with self._database.transaction() as session:
            row = await session.scalar(query)
            return _deletion(row) if row is not None else None

    async def tombstones(self, lane: LaneNumber, *, from_segment: int = 0) -> list[Tombstone]:
        """Return the lane's tombstones, oldest first: what lies below one must not be stored or kept again."""
        query = select(TombstoneRow).where(TombstoneRow.lane == lane, TombstoneRow.segment >= from_segment)
        async with self._database.transaction() as session:
            rows = await session.scalars(query.order_by(TombstoneRow.segment, TombstoneRow.ordinal))
            return [_tombstone(row) for row in rows]

    async def record(self, tombstones: Iterable[Tombstone]) -> None:
        """Remember tombstones; those that are known already change nothing."""
        # PostgreSQL's text holds no NUL: such a subject is deleted like any other, but no later replay is told.
        rows = [_values(one) for one in tombstones if "\0" not in one.subject]
        async with self._database.transaction() as session:
            for start in range(0, len(rows), _ROWS_PER_INSERT):
                portion = rows[start : start + _ROWS_PER_INSERT]
                await session.execute(insert(TombstoneRow).on_conflict_do_nothing(), portion)

    async def report(self, deletion_id: str, lane: LaneNumber, removed: Removed) -> None:
        """Note that a lane has removed what it owned; of a repeated report, as after a replay, the first counts."""
        async with self._database.transaction() as session:
            row = await session.get(DeletionRow, deletion_id, with_for_update=True)
            if row is None or str(lane) in row.removed:
                return
            row.removed = {**row.removed, str(lane): removed.to_json()}
            if row.finished_at is None and all(str(one) in row.removed for one in row.lanes):
                row.finished_at = func.now()

    async def add_removed(self, deletion_id: str, removed: Removed) -> None:
        """Add what was removed later: when the log was compacted or the archive rewritten."""
        async with self._database.transaction() as session:
            row = await session.get(DeletionRow, deletion_id, with_for_update=True)
            if row is not None:
                so_far = Removed.from_json(row.removed.get(_BY_MAINTENANCE, {}))
                row.removed = {**row.removed, _BY_MAINTENANCE: (so_far + removed).to_json()}


def _deletion(row: DeletionRow) -> Deletion:
    counts = (Removed.from_json(counts) for counts in row.removed.values())
    return Deletion(
        id=row.id,
        project_id=ProjectId(row.project_id),
        subject_type=SubjectType(row.subject_type),
        subjects=tuple(row.subjects),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        lanes=tuple(LaneNumber(lane) for lane in row.lanes),
        finished_at=row.finished_at,
        removed=sum(counts, Removed()),
    )


def _values(tombstone: Tombstone) -> dict[str, object]:
    return {**asdict(tombstone), "subject_type": tombstone.subject_type.value}


def _tombstone(row: TombstoneRow) -> Tombstone:
    return Tombstone(
        project_id=ProjectId(row.project_id),
        subject_type=SubjectType(row.subject_type),
        subject=row.subject,
        lane=LaneNumber(row.lane),
        segment=row.segment,
        ordinal=row.ordinal,
        deletion_id=row.deletion_id,
    )
