"""How Alembic reaches PostgreSQL: by a URL or a connection in the configuration's attributes, without an ini file."""

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine, text

from storage.postgres.tables.catalogue import METADATA

# A migration that waits for a lock blocks everyone who comes after it: rather fail, and be run again.
LOCK_TIMEOUT = "5s"
# One upgrade at a time; the revision is read after the lock is taken. Any number of our own.
_ADVISORY_LOCK = 0x48454C4D


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=METADATA, compare_server_default=True)
    with context.begin_transaction():
        connection.execute(text("SELECT set_config('lock_timeout', :timeout, true)"), {"timeout": LOCK_TIMEOUT})
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY_LOCK})
        context.run_migrations()


engine = create_engine(context.config.attributes["url"], poolclass=NullPool, connect_args={"connect_timeout": 3})
with engine.connect() as opened:
    _migrate(opened)
