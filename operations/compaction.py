"""Compaction as its command runs it: beside the stack, on its stores."""

import asyncio
from collections.abc import Callable

from heliograph import telemetry
from heliograph.domain.identifiers import LaneNumber
from heliograph.settings import Settings
from pipelines.compaction import Compacted, Compaction, CompactionProgress, opened


def run(settings: Settings, lane: int | None, on_progress: Callable[[CompactionProgress], None]) -> list[Compacted]:
    """Compact one lane, or every one."""
    telemetry.configure_logs("WARNING")
    return asyncio.run(_run(settings, lane, on_progress))


async def _run(
    settings: Settings, lane: int | None, on_progress: Callable[[CompactionProgress], None]
) -> list[Compacted]:
    async with opened(settings) as stores:
        numbers = range((await stores.registry.lane_map()).count) if lane is None else [lane]
        return [
            await Compaction(stores, LaneNumber(number), settings.maintenance, on_progress=on_progress).run()
            for number in numbers
        ]
