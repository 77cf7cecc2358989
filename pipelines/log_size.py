"""How large the log of each lane is: a listing now and then, reported as a metric."""

import asyncio
import time
from collections.abc import Callable

from actors import directory
from heliograph.domain.identifiers import LaneNumber
from heliograph.measures import Sample, samples
from heliograph.settings import Settings
from storage.objects import connection as objects
from storage.objects.raw_log import RawLog
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry

EVERY_SECONDS = 60.0
# A long log takes long to list: at most this share of the time goes into it.
_SHARE = 0.02
_KEEP_SECONDS = 3_600.0


class LogSizes:
    """Measures every lane's log. It is called every minute, and skips its turn where listing takes long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._not_before = 0.0

    async def __call__(self, settings: Settings) -> str:
        """Measure and report; returns what is worth a line in the log."""
        started = self._clock()
        if started < self._not_before:
            return "skipped"
        found = await self.measured(settings)
        self._not_before = self._clock() + (self._clock() - started) / _SHARE
        await directory.metrics_board().report("log sizes", found, _KEEP_SECONDS)
        return ", ".join(f"{int(sample.value)}" for sample in found if sample.metric == "heliograph_log_objects")

    async def measured(self, settings: Settings) -> list[Sample]:
        """The samples of every lane."""
        database = Database(settings.postgres_dsn)
        try:
            count = (await LaneRegistry(database).lane_map()).count
        finally:
            await database.close()
        return await asyncio.to_thread(_listed, settings, count)


def _listed(settings: Settings, lanes: int) -> list[Sample]:
    client = objects.connect(settings.s3, settings.s3_url)
    found: list[Sample] = []
    for lane in range(lanes):
        sizes = [listed.size for listed in RawLog(client, settings.s3.bucket, LaneNumber(lane)).segments_after(None)]
        values = {"heliograph_log_objects": len(sizes), "heliograph_log_bytes": sum(sizes)}
        found += samples(values, lane=str(lane))
    return found
