"""The backfills that were asked for, carried out one after the other of a kind, also after a restart."""

from collections.abc import Callable

from heliograph import telemetry
from heliograph.domain.backfills import Backfill, BackfillKind
from heliograph.domain.errors import Unavailable
from heliograph.domain.lane_errors import BackfillRunning
from heliograph.settings import Settings
from pipelines import export, recost
from pipelines.backfill import Work, carry_out
from storage.postgres.backfills import Backfills
from storage.postgres.connection import Database

EVERY_SECONDS = 1.0
_log = telemetry.logger("backfills")


class Backfilling:
    """The chore that carries out those of a kind. It looks every second, and so keeps its connection.

    Args:
        kind: of backfills.
        work: what one does.
    """

    def __init__(self, kind: BackfillKind, work: Callable[[Backfill], Work]) -> None:
        self._kind = kind
        self._work = work
        self._database: Database | None = None

    async def __call__(self, settings: Settings) -> int | None:
        """Carry them out; how many, None of none. Raises Unavailable, and goes on at the next call."""
        if self._database is None:
            self._database = Database(settings.postgres_dsn)
        backfills = Backfills(self._database)
        waiting = await backfills.unfinished(self._kind)
        for backfill in waiting:
            try:
                await carry_out(settings, backfill, self._work(backfill))
            except BackfillRunning:
                continue
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - a defect, repeated, would hold up all others for ever
                _log.exception("backfill_failed", backfill=backfill.id)
                await backfills.finish(backfill.id, error=str(error)[:500])
        return len(waiting) or None


def export_work(_: Backfill) -> Work:
    """What every export does; see `pipelines.export`."""
    return export.WORK


CHORES = {
    "recosts": Backfilling(BackfillKind.RECOST, recost.work),
    "exports": Backfilling(BackfillKind.EXPORT, export_work),
}
