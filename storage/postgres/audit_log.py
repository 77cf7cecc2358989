"""The audit log: who has changed what. Triggers write it, in the transaction of the change."""

from sqlalchemy import select

from heliograph.domain.audit import Actor, ActorType, AuditEntry
from heliograph.domain.identifiers import OrganizationId, ProjectId
from storage.postgres.connection import Database
from storage.postgres.tables.audit_log import AuditRow


class AuditLog:
    """The changes of all organizations, the newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(
        self,
        limit: int,
        *,
        organization_id: OrganizationId | None = None,
        project_id: ProjectId | None = None,
        resource_type: str = "",
        before_id: int | None = None,
    ) -> list[AuditEntry]:
        """Return at most so many entries; `before_id` goes on after the last of an earlier answer."""
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if organization_id is not None:
            query = query.where(AuditRow.organization_id == organization_id)
        if project_id is not None:
            query = query.where(AuditRow.project_id == project_id)
        if resource_type:
            query = query.where(AuditRow.resource_type == resource_type)
        if before_id is not None:
            query = query.where(AuditRow.id < before_id)
        async with self._database.transaction() as session:
            return [_entry(row) for row in await session.scalars(query)]


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor=Actor(ActorType(row.actor_type), row.actor_id, row.actor_name),
        organization_id=OrganizationId(row.organization_id) if row.organization_id else None,
        project_id=ProjectId(row.project_id) if row.project_id else None,
        resource_type=row.resource_type,
        resource_id=row.resource_id,
        action=row.action,
        before=row.before,
        after=row.after,
    )
