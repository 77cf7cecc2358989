"""Blob storage integrations, with their secrets sealed, and how far each has come."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain import blob_storage
from heliograph.domain.blob_storage import (
    BlobStorageIntegration,
    BlobStorageKind,
    Bucket,
    Export,
    ExportMode,
    ExportSource,
    FieldGroup,
    FileType,
    Frequency,
    NewBlobStorageIntegration,
    OpenedBlobStorageIntegration,
    Progress,
)
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import OrganizationId, ProjectId
from heliograph.domain.not_found import BlobStorageIntegrationNotFound, ProjectNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.blob_storage import BlobStorageRow, BlobStorageSyncRow
from storage.postgres.tables.projects import ProjectRow
from storage.seal import Seal

_LIVING = (
    select(BlobStorageRow, BlobStorageSyncRow)
    .join(ProjectRow, ProjectRow.id == BlobStorageRow.project_id)
    .outerjoin(BlobStorageSyncRow, BlobStorageSyncRow.integration_id == BlobStorageRow.id)
    .where(ProjectRow.deleted_at.is_(None))
)


class BlobStorageIntegrations:
    """Those of one organization's projects."""

    def __init__(self, database: Database, organization_id: OrganizationId, seal: Seal) -> None:
        self._database = database
        self._organization_id = organization_id
        self._seal = seal
        self._own = _LIVING.where(ProjectRow.organization_id == organization_id)

    async def all(self) -> Sequence[BlobStorageIntegration]:
        """Return them, oldest first."""
        query = self._own.order_by(BlobStorageRow.created_at, BlobStorageRow.id)
        async with self._database.transaction() as session:
            return [_integration(row, sync) for row, sync in (await session.execute(query)).tuples()]

    async def get(self, integration_id: str) -> BlobStorageIntegration:
        """Return one; raises BlobStorageIntegrationNotFound."""
        async with self._database.transaction() as session:
            found = (await session.execute(self._own.where(BlobStorageRow.id == integration_id))).tuples().first()
        if found is None:
            raise BlobStorageIntegrationNotFound(integration_id)
        return _integration(*found)

    async def put(self, new: NewBlobStorageIntegration) -> BlobStorageIntegration:
        """Keep an integration in place of the project's earlier one, whose rows that are written stay so.

        Raises:
            InvalidRequest: what is given does not go together, or there is no secret.
            ProjectNotFound: the organization has none of that id.
        """
        blob_storage.check(new, datetime.now(UTC))
        owned = select(ProjectRow.id).where(
            ProjectRow.id == new.project_id,
            ProjectRow.organization_id == self._organization_id,
            ProjectRow.deleted_at.is_(None),
        )
        async with self._database.transaction() as session:
            if await session.scalar(owned.with_for_update()) is None:
                raise ProjectNotFound(new.project_id)
            known = await session.scalar(select(BlobStorageRow).where(BlobStorageRow.project_id == new.project_id))
            values = self._values(new, known)
            putting = insert(BlobStorageRow).values(project_id=new.project_id, **values)
            putting = putting.on_conflict_do_update(
                index_elements=["project_id"], set_={**values, "updated_at": func.now()}
            )
            kept = (await session.scalars(putting.returning(BlobStorageRow.id))).one()
            # What went wrong may be mended by now.
            again = {"last_error": None, "last_error_at": None, "next_sync_at": None, "started_at": None}
            resetting = insert(BlobStorageSyncRow).values(integration_id=kept)
            await session.execute(resetting.on_conflict_do_update(index_elements=["integration_id"], set_=again))
        return await self.get(kept)

    async def delete(self, integration_id: str) -> None:
        """Remove one, whose files stay; raises BlobStorageIntegrationNotFound."""
        found = await self.get(integration_id)
        async with self._database.transaction() as session:
            await session.execute(delete(BlobStorageRow).where(BlobStorageRow.id == found.id))

    def _values(self, new: NewBlobStorageIntegration, known: BlobStorageRow | None) -> dict[str, Any]:
        if new.secret_access_key:
            sealed = self._seal.seal(new.secret_access_key, new.project_id)
        elif known is not None:
            sealed = known.secret_ciphertext
        else:
            raise InvalidRequest("secretAccessKey", "is needed: the server has no credentials of its own for buckets")
        source = new.source or (known.source if known else ExportSource.LEGACY_TRACES_OBSERVATIONS)
        groups = new.field_groups if new.field_groups is not None else (known.field_groups if known else ())
        bucket = new.bucket
        return {
            "kind": bucket.kind,
            "bucket": bucket.name,
            "region": bucket.region,
            "endpoint": bucket.endpoint,
            "access_key_id": bucket.access_key_id or (known.access_key_id if known else ""),
            "secret_ciphertext": sealed,
            "prefix": bucket.prefix,
            "force_path_style": bucket.force_path_style,
            "enabled": new.enabled,
            "frequency": new.frequency,
            "file_type": new.file_type,
            "mode": new.mode,
            "start": new.start,
            "compressed": new.compressed,
            "source": source,
            "field_groups": list(groups),
        }


class BlobStorageSyncs:
    """Those of all projects, for who writes their rows."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    async def due(self, now: datetime) -> Sequence[BlobStorageIntegration]:
        """Return what is enabled and is to be written now, the longest waiting first."""
        next_at = BlobStorageSyncRow.next_sync_at
        query = _LIVING.where(BlobStorageRow.enabled, or_(next_at.is_(None), next_at <= now))
        query = query.order_by(next_at.asc().nulls_first(), BlobStorageRow.id)
        async with self._database.transaction() as session:
            return [_integration(row, sync) for row, sync in (await session.execute(query)).tuples()]

    async def opened(self, integration_id: str) -> OpenedBlobStorageIntegration:
        """Return one as it is now, with its secret.

        Raises:
            BlobStorageIntegrationNotFound: it was removed, or its project was.
            SecretUnreadable: the key that sealed it is not configured any more.
        """
        async with self._database.transaction() as session:
            found = (await session.execute(_LIVING.where(BlobStorageRow.id == integration_id))).tuples().first()
        if found is None:
            raise BlobStorageIntegrationNotFound(integration_id)
        secret = self._seal.open(found[0].secret_ciphertext, found[0].project_id)
        return OpenedBlobStorageIntegration(_integration(*found), secret)

    async def begin(self, integration_id: str, now: datetime) -> None:
        """Note that its rows are being written."""
        await self._note(integration_id, {"started_at": now})

    async def advance(self, integration_id: str, until: datetime) -> None:
        """Note that rows until this moment are written."""
        await self._note(integration_id, {"last_sync_at": until})

    async def end(self, integration_id: str, next_at: datetime) -> None:
        """Note that everything is written, and when that is asked again."""
        values = {"next_sync_at": next_at, "started_at": None, "last_error": None, "last_error_at": None}
        await self._note(integration_id, values)

    async def fail(self, integration_id: str, reason: str, now: datetime, *, next_at: datetime) -> None:
        """Note what went wrong, and when it is tried again."""
        values = {"next_sync_at": next_at, "started_at": None, "last_error": reason, "last_error_at": now}
        await self._note(integration_id, values)

    async def _note(self, integration_id: str, values: dict[str, Any]) -> None:
        known = select(BlobStorageRow.id).where(BlobStorageRow.id == integration_id).with_for_update()
        noting = insert(BlobStorageSyncRow).values(integration_id=integration_id, **values)
        async with self._database.transaction() as session:
            # It may have been removed meanwhile.
            if await session.scalar(known) is not None:
                await session.execute(noting.on_conflict_do_update(index_elements=["integration_id"], set_=values))


def _integration(row: BlobStorageRow, sync: BlobStorageSyncRow | None) -> BlobStorageIntegration:
    return BlobStorageIntegration(
        id=row.id,
        project_id=ProjectId(row.project_id),
        bucket=Bucket(
            kind=BlobStorageKind(row.kind),
            name=row.bucket,
            region=row.region,
            endpoint=row.endpoint,
            access_key_id=row.access_key_id,
            prefix=row.prefix,
            force_path_style=row.force_path_style,
        ),
        export=Export(
            frequency=Frequency(row.frequency),
            file_type=FileType(row.file_type),
            mode=ExportMode(row.mode),
            start=row.start,
            compressed=row.compressed,
            source=ExportSource(row.source),
            field_groups=tuple(map(FieldGroup, row.field_groups)),
        ),
        enabled=row.enabled,
        progress=_progress(sync),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _progress(sync: BlobStorageSyncRow | None) -> Progress:
    if sync is None:
        return Progress()
    return Progress(sync.last_sync_at, sync.next_sync_at, sync.started_at, sync.last_error, sync.last_error_at)
