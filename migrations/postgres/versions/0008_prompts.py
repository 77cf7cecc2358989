"""Prompts: their versions, labels, and what includes what."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_VERSION = ("project_id", "name", "version")


def upgrade() -> None:
    """Create the tables."""
    _create_versions()
    _create_labels_and_references()


def downgrade() -> None:
    """Drop them."""
    for table in ("prompt_references", "prompt_labels", "prompt_versions", "prompts"):
        op.drop_table(table)


def _create_versions() -> None:
    op.create_table(
        "prompts",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("tags", ARRAY(sa.String()), nullable=False),
        sa.Column("last_version", sa.Integer(), nullable=False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("project_id", "name", name="pk_prompts"),
        _of_project("prompts"),
    )
    op.create_table(
        "prompt_versions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("commit_message", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_prompt_versions"),
        sa.UniqueConstraint(*_VERSION, name="uq_prompt_versions_project_id_name_version"),
        sa.ForeignKeyConstraint(
            ["project_id", "name"],
            ["prompts.project_id", "prompts.name"],
            name="fk_prompt_versions_project_id_name",
            ondelete="CASCADE",
        ),
    )


def _create_labels_and_references() -> None:
    op.create_table(
        "prompt_labels",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "name", "label", name="pk_prompt_labels"),
        sa.ForeignKeyConstraint(
            [*_VERSION],
            [f"prompt_versions.{column}" for column in _VERSION],
            name="fk_prompt_labels_project_id_name_version",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "prompt_references",
        sa.Column("parent_id", sa.String(), nullable=False),
        sa.Column("child_name", sa.String(), nullable=False),
        sa.Column("child_version", sa.Integer(), nullable=False),
        sa.Column("child_label", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint(
            *("parent_id", "child_name", "child_version", "child_label"), name="pk_prompt_references"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["prompt_versions.id"], name="fk_prompt_references_parent_id", ondelete="CASCADE"
        ),
        _of_project("prompt_references"),
    )
    op.create_index("ix_prompt_references_project_id_child_name", "prompt_references", ["project_id", "child_name"])


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _of_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=f"fk_{table}_project_id", ondelete="CASCADE")
