"""The migrations of ClickHouse: numbered, idempotent SQL files, each applied once and recorded with its checksum."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError

from heliograph.domain.errors import Unavailable
from heliograph.domain.start_errors import MigrationChanged
from heliograph.settings import ClickHouseSettings

FOLDER = Path(__file__).parent / "clickhouse"

# A table may have to be copied.
_PATIENCE_SECONDS = 6 * 3_600
_IS_RECORDED = """
SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations'
"""
_APPLIED = """
SELECT name, checksum FROM {database:Identifier}.schema_migrations FINAL
"""
_RECORD = """
INSERT INTO {database:Identifier}.schema_migrations (name, checksum) VALUES ({name:String}, {checksum:String})
"""


@dataclass(frozen=True)
class SqlFile:
    """One migration: its first line is its reason."""

    name: str
    reason: str
    statements: tuple[str, ...]
    checksum: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; a statement ends with a semicolon at the end of a line."""
        content = path.read_text("utf-8")
        reason, _, body = content.partition("\n")
        statements = tuple(part.strip().removesuffix(";") for part in body.split(";\n") if part.strip())
        checksum = hashlib.sha256(content.encode()).hexdigest()
        return cls(name=path.stem, reason=reason.removeprefix("--").strip(), statements=statements, checksum=checksum)

    def __str__(self) -> str:
        return f"clickhouse {self.name}: {self.reason}"


class Columnar:
    """The schema of one ClickHouse database."""

    def __init__(self, settings: ClickHouseSettings, url: str, folder: Path = FOLDER) -> None:
        self._settings = settings
        self._url = url
        self._folder = folder

    def known(self) -> list[SqlFile]:
        """Read every migration, in the order of their numbers."""
        return [SqlFile.read(path) for path in sorted(self._folder.glob("*.sql"))]

    def pending(self) -> list[SqlFile]:
        """Return those not applied yet; raises MigrationChanged when an applied one differs from its file."""
        with self._connect() as client:
            return self._pending(client)

    def upgrade(self) -> list[SqlFile]:
        """Apply and record what is pending. One that failed half-way is applied again, so each must be idempotent."""
        with self._connect() as client:
            pending = self._pending(client)
            for file in pending:
                if file != self.known()[0]:
                    # Which the first one creates; not every statement takes the database as a parameter.
                    client.database = self._settings.database
                for statement in file.statements:
                    client.command(statement, parameters=self._bound())
                client.command(_RECORD, parameters=self._bound(name=file.name, checksum=file.checksum))
        return pending

    def _pending(self, client: Client) -> list[SqlFile]:
        applied = self._applied(client)
        for file in self.known():
            if applied.get(file.name, file.checksum) != file.checksum:
                raise MigrationChanged(file.name)
        return [file for file in self.known() if file.name not in applied]

    def _applied(self, client: Client) -> dict[str, str]:
        if not client.command(_IS_RECORDED, parameters=self._bound()):
            return {}
        return {
            str(name): str(checksum) for name, checksum in client.query(_APPLIED, parameters=self._bound()).result_rows
        }

    def _bound(self, **values: str) -> dict[str, Any]:
        return {"database": self._settings.database, **values}

    def _connect(self) -> Client:
        try:
            # Not the database of the settings, which may not exist yet.
            return clickhouse_connect.get_client(
                dsn=self._url,
                username=self._settings.user,
                password=self._settings.password,
                database="default",
                connect_timeout=3,
                send_receive_timeout=_PATIENCE_SECONDS,
                autogenerate_session_id=False,
            )
        except OperationalError as error:
            raise Unavailable("ClickHouse", 5) from error
