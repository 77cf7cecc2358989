"""Which engines are embedded: those that the settings name no address for."""

from heliograph.settings import Settings
from operations.status import PartStatus, State
from storage.embedded.clickhouse import ClickHouse
from storage.embedded.engine import Engine
from storage.embedded.postgres import Postgres
from storage.embedded.seaweed import SeaweedFS
from storage.embedded.supervisor import EngineStatus, Supervisor


def embedded(settings: Settings) -> list[Engine]:
    """The engines that run here, in the order of their start."""
    engines: list[Engine] = []
    if not settings.postgres.url:
        engines.append(Postgres(settings.postgres, settings.data, settings.port))
    if not settings.clickhouse.url:
        engines.append(ClickHouse(settings.clickhouse, settings.data, settings.port))
    if not settings.s3.url:
        engines.append(SeaweedFS(settings.s3, settings.data, settings.port))
    return engines


def parts(supervisor: Supervisor) -> list[PartStatus]:
    """The engines as parts of the stack."""
    return [_part(status) for status in supervisor.statuses]


def _part(status: EngineStatus) -> PartStatus:
    state = State.READY if status.is_ready else State.STARTING if status.pid else State.WAITING
    if status.detail == "stopped":
        state = State.STOPPED
    return PartStatus(
        name=status.name,
        state=state,
        pid=status.pid,
        restarts=status.restarts,
        since=status.since,
        detail="" if status.is_ready or state in {State.STARTING, State.STOPPED} else status.detail,
    )
