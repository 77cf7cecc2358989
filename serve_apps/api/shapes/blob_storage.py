"""Blob storage integrations as the API shows and takes them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from heliograph.domain.blob_storage import (
    BlobStorageIntegration,
    BlobStorageKind,
    Bucket,
    ExportMode,
    ExportSource,
    FieldGroup,
    FileType,
    Frequency,
    NewBlobStorageIntegration,
    SyncStatus,
)
from heliograph.domain.identifiers import ProjectId
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.values import Instant, JsonShape, iso, optional_iso


def _prefix(text: str) -> str:
    if text and not text.endswith("/"):
        raise ValueError("must end with a slash")
    return text


def _aware(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


_Stripped = BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value)


class BlobStorageBody(Body):
    """An integration to be kept, in place of the project's earlier one."""

    project_id: Text
    type: BlobStorageKind
    bucket_name: Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$")]
    endpoint: Annotated[Text, Field(max_length=2_000)] | None = None
    region: Annotated[Text, _Stripped, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$")]
    access_key_id: Annotated[Text, Field(max_length=1_000)] | None = None
    secret_access_key: Annotated[Text, Field(min_length=1, max_length=20_000)] | None = None
    prefix: Annotated[Text, AfterValidator(_prefix), Field(max_length=500)] | None = None
    export_frequency: Frequency
    enabled: bool
    force_path_style: bool
    file_type: FileType
    export_mode: ExportMode
    export_start_date: Annotated[datetime | None, AfterValidator(_aware)] = None
    compressed: bool | None = None
    export_source: ExportSource | None = None
    export_field_groups: list[FieldGroup] | None = None

    @property
    def integration(self) -> NewBlobStorageIntegration:
        """The integration that it declares."""
        return NewBlobStorageIntegration(
            project_id=ProjectId(self.project_id),
            bucket=Bucket(
                kind=self.type,
                name=self.bucket_name,
                region=self.region,
                endpoint=self.endpoint or None,
                access_key_id=self.access_key_id or "",
                prefix=self.prefix or "",
                force_path_style=self.force_path_style,
            ),
            enabled=self.enabled,
            frequency=self.export_frequency,
            file_type=self.file_type,
            mode=self.export_mode,
            start=self.export_start_date,
            compressed=self.compressed is not False,
            source=self.export_source,
            field_groups=None if self.export_field_groups is None else tuple(dict.fromkeys(self.export_field_groups)),
            secret_access_key=self.secret_access_key,
        )


class _Progress(JsonShape):
    lastSyncAt: Instant | None
    nextSyncAt: Instant | None
    lastError: str | None
    lastErrorAt: Instant | None


class BlobStorageShape(_Progress):
    """An integration without its secret."""

    id: str
    projectId: str
    type: BlobStorageKind
    bucketName: str
    endpoint: str | None
    region: str
    accessKeyId: str | None
    prefix: str
    exportFrequency: Frequency
    enabled: bool
    forcePathStyle: bool
    fileType: FileType
    exportMode: ExportMode
    exportStartDate: Instant | None
    compressed: bool
    exportSource: ExportSource
    exportFieldGroups: Sequence[FieldGroup]
    createdAt: Instant
    updatedAt: Instant


class SyncShape(_Progress):
    """How far the rows of an integration are written."""

    id: str
    projectId: str
    syncStatus: SyncStatus
    enabled: bool


def blob_storage_shape(integration: BlobStorageIntegration) -> BlobStorageShape:
    """The contract's integration, without its secret."""
    bucket, export = integration.bucket, integration.export
    return {
        "id": integration.id,
        "projectId": integration.project_id,
        "type": bucket.kind,
        "bucketName": bucket.name,
        "endpoint": bucket.endpoint,
        "region": bucket.region,
        "accessKeyId": bucket.access_key_id or None,
        "prefix": bucket.prefix,
        "exportFrequency": export.frequency,
        "enabled": integration.enabled,
        "forcePathStyle": bucket.force_path_style,
        "fileType": export.file_type,
        "exportMode": export.mode,
        "exportStartDate": optional_iso(export.start),
        "compressed": export.compressed,
        "exportSource": export.source,
        "exportFieldGroups": list(export.field_groups),
        **_progress(integration),
        "createdAt": iso(integration.created_at),
        "updatedAt": iso(integration.updated_at),
    }


def sync_shape(integration: BlobStorageIntegration, now: datetime) -> SyncShape:
    """The contract's status of an integration."""
    return {
        "id": integration.id,
        "projectId": integration.project_id,
        "syncStatus": integration.status(now),
        "enabled": integration.enabled,
        **_progress(integration),
    }


def _progress(integration: BlobStorageIntegration) -> _Progress:
    progress = integration.progress
    return {
        "lastSyncAt": optional_iso(progress.last_sync_at),
        "nextSyncAt": optional_iso(progress.next_sync_at),
        "lastError": progress.last_error,
        "lastErrorAt": optional_iso(progress.last_error_at),
    }
