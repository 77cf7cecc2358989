"""Organizations, projects, users, memberships, API keys and lanes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _created() -> sa.Column[object]:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def upgrade() -> None:
    """Create the tables of identity, access and lanes."""
    _create_identity()
    _create_memberships()
    _create_api_keys()
    _create_lanes()


def downgrade() -> None:
    """Drop them, those that refer to others first."""
    for table in (
        "lane_map",
        "lanes",
        "api_keys",
        "project_memberships",
        "organization_memberships",
        "users",
        "projects",
        "organizations",
    ):
        op.drop_table(table)


def _create_identity() -> None:
    op.create_table("organizations", _text("id"), _text("name"), _created(), _key("organizations", "id"))
    op.create_table(
        "projects",
        _text("id"),
        _text("organization_id"),
        _text("name"),
        sa.Column("metadata", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=True),
        sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _created(),
        _moment("deleted_at"),
        _key("projects", "id"),
        _reference("projects", "organization_id", "organizations"),
        _unique("projects", "organization_id", "name"),
    )
    op.create_table(
        "users",
        _text("id"),
        _text("email"),
        _text("name"),
        _text("password_hash", nullable=True),
        _created(),
        _key("users", "id"),
        _unique("users", "email"),
    )


def _create_memberships() -> None:
    table = "organization_memberships"
    op.create_table(
        table,
        _text("id"),
        _text("organization_id"),
        _text("user_id"),
        _text("role"),
        _created(),
        _key(table, "id"),
        _reference(table, "organization_id", "organizations"),
        _reference(table, "user_id", "users"),
        _unique(table, "organization_id", "user_id"),
    )
    op.create_index(f"ix_{table}_user_id", table, ["user_id"])
    table = "project_memberships"
    op.create_table(
        table,
        _text("project_id"),
        _text("user_id"),
        _text("role"),
        _created(),
        _key(table, "project_id", "user_id"),
        _reference(table, "project_id", "projects"),
        _reference(table, "user_id", "users"),
    )
    op.create_index(f"ix_{table}_user_id", table, ["user_id"])


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        _text("id"),
        _text("public_key"),
        _text("secret_digest"),
        _text("secret_display"),
        sa.Column("note", sa.String(), server_default=sa.text("''"), nullable=False),
        _text("project_id", nullable=True),
        _text("organization_id", nullable=True),
        _created(),
        _moment("expires_at"),
        _moment("revoked_at"),
        _moment("last_used_at"),
        _key("api_keys", "id"),
        _reference("api_keys", "project_id", "projects"),
        _reference("api_keys", "organization_id", "organizations"),
        _unique("api_keys", "public_key"),
        sa.CheckConstraint("(project_id IS NULL) <> (organization_id IS NULL)", name=op.f("ck_api_keys_one_owner")),
    )
    op.create_index("ix_api_keys_project_id", "api_keys", ["project_id"])


def _create_lanes() -> None:
    op.create_table(
        "lanes",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint_epoch", sa.BigInteger(), nullable=True),
        sa.Column("checkpoint_segment", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        _key("lanes", "lane"),
    )
    op.create_table(
        "lane_map",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("dedicated", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        _created(),
        _key("lane_map", "version"),
    )
