"""What `heliograph migrate` shows and does, over both stores."""

from dataclasses import dataclass

from heliograph.settings import Settings
from migrations.columnar import Columnar
from migrations.relational import Relational


@dataclass(frozen=True)
class MigrationStatus:
    """One migration, and whether it is applied."""

    description: str
    is_applied: bool


def plan(settings: Settings) -> list[str]:
    """Describe the migrations that `upgrade` would apply, in their order; changes nothing."""
    return [step.description for step in status(settings) if not step.is_applied]


def upgrade(settings: Settings) -> list[str]:
    """Bring both stores to the newest schema; returns what was applied, and does nothing the second time.

    Raises:
        Unavailable: a store does not answer.
        MigrationChanged: an applied file was edited since.
    """
    return _relational(settings).upgrade(settings.lanes.count) + [str(file) for file in _columnar(settings).upgrade()]


def status(settings: Settings) -> list[MigrationStatus]:
    """Return every migration of both stores, applied or not."""
    relational, columnar = _relational(settings), _columnar(settings)
    known = relational.known() + [str(file) for file in columnar.known()]
    pending = {*relational.pending(), *(str(file) for file in columnar.pending())}
    return [MigrationStatus(description, description not in pending) for description in known]


def _relational(settings: Settings) -> Relational:
    return Relational(settings.postgres_dsn)


def _columnar(settings: Settings) -> Columnar:
    return Columnar(settings.clickhouse, settings.clickhouse_url)
