"""The Alembic environment of PostgreSQL."""
