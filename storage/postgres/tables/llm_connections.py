"""The table of connections to providers of models."""

from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table


class LlmConnectionRow(Table):
    """One connection. Its secret and its headers are sealed; see `storage.seal`."""

    __tablename__ = "llm_connections"
    __table_args__ = (UniqueConstraint("project_id", "provider"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    provider: Mapped[str]
    adapter: Mapped[str]
    secret_ciphertext: Mapped[str]
    secret_display: Mapped[str]
    base_url: Mapped[str | None]
    custom_models: Mapped[list[str]] = mapped_column(ARRAY(String))
    with_default_models: Mapped[bool]
    headers_ciphertext: Mapped[str]
    extra_header_keys: Mapped[list[str]] = mapped_column(ARRAY(String))
    config: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
