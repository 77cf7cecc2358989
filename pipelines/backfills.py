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
from storage.postgres.connection import opened

EVERY_SECONDS = 1.0
_log = telemetry.logger("backfills")


async def carry_out_recosts(settings: Settings) -> int | None:
    """Carry out recosts; how many, None of none. Raises Unavailable, and goes on at the next call."""
    return await _carry_out(settings, BackfillKind.RECOST, recost.work)


async def carry_out_exports(settings: Settings) -> int | None:
    """The same for exports."""
    return await _carry_out(settings, BackfillKind.EXPORT, lambda _: export.WORK)


async def _carry_out(settings: Settings, kind: BackfillKind, work: Callable[[Backfill], Work]) -> int | None:
    async with opened(settings.postgres_dsn) as database:
        backfills = Backfills(database)
        waiting = await backfills.unfinished(kind)
        for backfill in waiting:
            try:
                await carry_out(settings, backfill, work(backfill))
            except BackfillRunning:
                continue
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - a defect, repeated, would hold up all others for ever
                _log.exception("backfill_failed", backfill=backfill.id)
                await backfills.finish(backfill.id, error=str(error)[:500])
    return len(waiting) or None
