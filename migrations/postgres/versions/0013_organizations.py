"""Keys of organizations, invitations, and the audit log with its triggers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.postgres.audit import CREATE_FUNCTION, DROP_FUNCTION, audited, unaudited

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_AUDITED = (
    ("organizations", "organization", "id"),
    ("projects", "project", "id"),
    ("users", "user", "id"),
    ("organization_memberships", "organizationMembership", "user_id"),
    ("project_memberships", "projectMembership", "user_id"),
    ("invitations", "invitation", "id"),
    ("api_keys", "apiKey", "id"),
    ("project_limits", "projectLimits", "project_id"),
    ("masking_rules", "maskingRule", "id"),
    ("models", "model", "id"),
    ("prompts", "prompt", "name"),
    ("prompt_versions", "promptVersion", "name", "version"),
    ("prompt_labels", "promptLabel", "name", "label"),
    ("score_configs", "scoreConfig", "id"),
    ("datasets", "dataset", "id"),
    ("annotation_queues", "annotationQueue", "id"),
    ("annotation_queue_assignments", "annotationQueueAssignment", "queue_id", "user_id"),
)


def upgrade() -> None:
    """Extend the tables of identity, create the new ones, and begin to audit."""
    op.add_column(
        "organizations", sa.Column("metadata", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False)
    )
    op.add_column("projects", _moment("updated_at"))
    op.create_index("ix_api_keys_organization_id", "api_keys", ["organization_id"])
    # A project that is being deleted gives its name free.
    op.drop_constraint("uq_projects_organization_id_name", "projects")
    living = sa.text("deleted_at IS NULL")
    op.create_index(
        "uq_projects_organization_id_name",
        "projects",
        ["organization_id", "name"],
        unique=True,
        postgresql_where=living,
    )
    _create_invitations()
    _create_audit_log()
    op.execute(CREATE_FUNCTION)
    for table, resource_type, *key in _AUDITED:
        op.execute(audited(table, resource_type, *key))


def downgrade() -> None:
    """Drop them; fails when a project that is being deleted has the name of another."""
    for table, *_ in _AUDITED:
        op.execute(unaudited(table))
    op.execute(DROP_FUNCTION)
    op.drop_table("audit_log")
    op.drop_table("invitations")
    op.drop_index("uq_projects_organization_id_name", "projects")
    op.create_unique_constraint("uq_projects_organization_id_name", "projects", ["organization_id", "name"])
    op.drop_index("ix_api_keys_organization_id", "api_keys")
    op.drop_column("projects", "updated_at")
    op.drop_column("organizations", "metadata")


def _create_invitations() -> None:
    op.create_table(
        "invitations",
        _text("id"),
        _text("email"),
        _text("organization_id"),
        _text("role"),
        _text("project_id", nullable=True),
        _text("project_role", nullable=True),
        _text("token_digest"),
        _moment("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("organization_id", "email", name="uq_invitations_organization_id_email"),
        sa.UniqueConstraint("token_digest", name="uq_invitations_token_digest"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_invitations_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_invitations_project_id", ondelete="CASCADE"),
    )


def _create_audit_log() -> None:
    # Without references: it outlives what it tells of.
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp(), nullable=False),
        _text("actor_type"),
        _text("actor_id"),
        _text("actor_name"),
        _text("organization_id", nullable=True),
        _text("project_id", nullable=True),
        _text("resource_type"),
        _text("resource_id"),
        _text("action"),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    for owner in ("organization_id", "project_id"):
        op.create_index(f"ix_audit_log_{owner}_id", "audit_log", [owner, "id"])


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
