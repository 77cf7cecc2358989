"""The tables of blob storage integrations, and of how far each has come."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Moment, Table


class BlobStorageRow(Table):
    """One integration; a project has one at most. Its secret is sealed; see `storage.seal`."""

    __tablename__ = "blob_storage_integrations"

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), unique=True)
    kind: Mapped[str]
    bucket: Mapped[str]
    region: Mapped[str]
    endpoint: Mapped[str | None]
    access_key_id: Mapped[str]
    secret_ciphertext: Mapped[str]
    prefix: Mapped[str]
    force_path_style: Mapped[bool]
    enabled: Mapped[bool]
    frequency: Mapped[str]
    file_type: Mapped[str]
    mode: Mapped[str]
    start: Mapped[Moment | None]
    compressed: Mapped[bool]
    source: Mapped[str]
    field_groups: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class BlobStorageSyncRow(Table):
    """How far an integration has come: apart, for this is no configuration, of which each change is audited."""

    __tablename__ = "blob_storage_syncs"

    integration_id: Mapped[str] = mapped_column(
        ForeignKey("blob_storage_integrations.id", ondelete="CASCADE"), primary_key=True
    )
    last_sync_at: Mapped[Moment | None]
    next_sync_at: Mapped[Moment | None]
    started_at: Mapped[Moment | None]
    last_error: Mapped[str | None]
    last_error_at: Mapped[Moment | None]
