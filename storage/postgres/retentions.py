"""Which projects keep what they were sent for a time only, and how far that is enforced."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.retention import Expired, RetentionState
from storage.postgres.connection import Database
from storage.postgres.tables.projects import ProjectRow
from storage.postgres.tables.retentions import RetentionRow


class Retentions:
    """The retention of all living projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self) -> Sequence[RetentionState]:
        """Return the projects that keep nothing for ever, by name, and how far each is enforced."""
        query = (
            select(ProjectRow.id, ProjectRow.name, ProjectRow.retention_days, RetentionRow)
            .outerjoin(RetentionRow, RetentionRow.project_id == ProjectRow.id)
            .where(ProjectRow.deleted_at.is_(None), ProjectRow.retention_days > 0)
            .order_by(ProjectRow.name, ProjectRow.id)
        )
        async with self._database.transaction() as session:
            rows = await session.execute(query)
            return [_state(ProjectId(key), name, days or 0, row=row) for key, name, days, row in rows.tuples()]

    async def days(self, project_id: ProjectId) -> int | None:
        """Return how long a project keeps what it was sent; None for ever, or when it has ended."""
        query = select(ProjectRow.retention_days).where(ProjectRow.id == project_id, ProjectRow.deleted_at.is_(None))
        async with self._database.transaction() as session:
            return await session.scalar(query)

    async def note(self, project_id: ProjectId, cutoff: datetime, expired: Expired) -> None:
        """Note that it was enforced, and what was deleted if anything was; the audit log tells the latter."""
        values = {"cutoff": cutoff, "traces": expired.traces, "scores": expired.scores, "media": expired.media}
        first = values if expired else values | {"cutoff": None}
        seen = {"updated_at": func.now()}
        noting = insert(RetentionRow).values(project_id=project_id, **first)
        noting = noting.on_conflict_do_update(
            index_elements=[RetentionRow.project_id], set_=values | seen if expired else seen
        )
        async with self._database.transaction() as session:
            await session.execute(noting)


def _state(project_id: ProjectId, name: str, days: int, *, row: RetentionRow | None) -> RetentionState:
    if row is None:
        return RetentionState(project_id, name, days)
    expired = Expired(row.traces, row.scores, row.media)
    return RetentionState(project_id, name, days, row.cutoff, expired, row.updated_at)
