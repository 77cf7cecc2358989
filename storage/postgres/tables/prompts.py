"""The tables of prompts: one row a prompt, one a version, one a label, one for what a version includes."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table

_PROMPT = ("prompts.project_id", "prompts.name")


class PromptRow(Table):
    """What all versions of a prompt share. Whoever adds a version locks it, so that numbers have no holes."""

    __tablename__ = "prompts"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(String))
    last_version: Mapped[int]
    created_at: Mapped[Created]


class PromptVersionRow(Table):
    """One version; it never changes but for `updated_at`, which its labels move."""

    __tablename__ = "prompt_versions"
    __table_args__ = (
        ForeignKeyConstraint(("project_id", "name"), _PROMPT, ondelete="CASCADE"),
        UniqueConstraint("project_id", "name", "version"),
    )

    id: Mapped[Id]
    project_id: Mapped[str]
    name: Mapped[str]
    version: Mapped[int]
    # JSON, not JSONB, which knows neither the order of keys nor the character NUL.
    body: Mapped[Any] = mapped_column(JSON)
    config: Mapped[Any] = mapped_column(JSON)
    commit_message: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class PromptLabelRow(Table):
    """Which version a label of a prompt is on: its key makes that one at most."""

    __tablename__ = "prompt_labels"
    __table_args__ = (
        ForeignKeyConstraint(
            ("project_id", "name", "version"),
            ("prompt_versions.project_id", "prompt_versions.name", "prompt_versions.version"),
            ondelete="CASCADE",
        ),
    )

    project_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]


class PromptReferenceRow(Table):
    """What a version includes: another prompt by version, or by label when `child_version` is 0."""

    __tablename__ = "prompt_references"
    __table_args__ = (Index("ix_prompt_references_project_id_child_name", "project_id", "child_name"),)

    parent_id: Mapped[str] = mapped_column(ForeignKey("prompt_versions.id", ondelete="CASCADE"), primary_key=True)
    child_name: Mapped[str] = mapped_column(primary_key=True)
    child_version: Mapped[int] = mapped_column(primary_key=True)
    child_label: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
