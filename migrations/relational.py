"""The migrations of PostgreSQL: Alembic revisions, read and applied without an ini file."""

from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, exc, make_url, text

from heliograph.domain.errors import Unavailable

FOLDER = Path(__file__).parent / "postgres"
# Every server has this database; from it others are created.
_MAINTENANCE_DATABASE = "postgres"
_FIRST_LANE_MAP = text("INSERT INTO lane_map (version, count) SELECT 1, :count WHERE NOT EXISTS (SELECT FROM lane_map)")


class Relational:
    """The schema of one PostgreSQL database."""

    def __init__(self, dsn: str) -> None:
        self._url = make_url(dsn)

    def known(self) -> list[str]:
        """Name every revision, oldest first."""
        return [_name(script) for script in self._scripts()]

    def pending(self) -> list[str]:
        """Name the revisions that are not applied yet; changes nothing, not even a missing database."""
        current = self._revision()
        names: list[str] = []
        for script in reversed(self._scripts()):
            if script.revision == current:
                break
            names.insert(0, _name(script))
        return names

    def upgrade(self, lanes: int) -> list[str]:
        """Create the database where it is missing, apply what is pending, publish the first lane map."""
        if not self._exists():
            self._create()
        names = self.pending()
        command.upgrade(self._config(), "head")
        with _engine(self._url).begin() as connection:
            connection.execute(_FIRST_LANE_MAP, {"count": lanes})
        return names

    def downgrade(self, revision: str) -> None:
        """Take the schema back to a revision; 'base' is the empty one."""
        command.downgrade(self._config(), revision)

    def _config(self) -> Config:
        config = Config(attributes={"url": self._url})
        # Alembic's options know no percent signs but doubled ones.
        config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
        return config

    def _scripts(self) -> list[Script]:
        directory = ScriptDirectory.from_config(self._config())
        return list(reversed(list(directory.walk_revisions())))

    def _revision(self) -> str | None:
        if not self._exists():
            return None
        with _connect(self._url) as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def _exists(self) -> bool:
        try:
            with _engine(self._url).connect():
                return True
        except exc.OperationalError as error:
            if _is_missing_database(error):
                return False
            raise Unavailable("PostgreSQL", 5) from error

    def _create(self) -> None:
        name = str(self._url.database)
        engine = _engine(self._url.set(database=_MAINTENANCE_DATABASE))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            quoted = connection.dialect.identifier_preparer.quote_identifier(name)
            connection.exec_driver_sql(f"CREATE DATABASE {quoted}")


def _name(script: Script) -> str:
    return f"postgres {script.revision}: {script.doc}"


def _engine(url: URL) -> Engine:
    options: dict[str, Any] = {"connect_timeout": 3}
    return create_engine(url, poolclass=NullPool, connect_args=options)


def _connect(url: URL) -> Connection:
    return _engine(url).connect()


def _is_missing_database(error: exc.OperationalError) -> bool:
    cause = error.orig
    if isinstance(cause, psycopg.errors.InvalidCatalogName):
        return True
    # psycopg gives no SQLSTATE for a connection that was refused, only the server's words.
    return isinstance(cause, psycopg.OperationalError) and "does not exist" in str(cause) and "database" in str(cause)
