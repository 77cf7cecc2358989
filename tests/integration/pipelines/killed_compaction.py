"""A compaction in a process of its own that is killed with -9 right before its n-th change of the object store.

`python -m tests.integration.pipelines.killed_compaction LANE CHANGES`
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from typing import Any

from heliograph.domain.identifiers import LaneNumber
from heliograph.settings import Settings
from pipelines.compaction import Compaction, opened
from tests.integration.pipelines.lane_logs import AT_ONCE, LATER, MortalClient


class KilledClient(MortalClient):
    """Kills this process instead of raising."""

    def die(self) -> None:
        """Nothing runs behind this: no handler, no finally, no farewell to PostgreSQL."""
        os.kill(os.getpid(), signal.SIGKILL)


async def main(lane: int, changes: int) -> None:
    """Compact until death."""
    async with opened(Settings()) as stores:
        mortal: Any = KilledClient(stores.client, changes)
        await Compaction(replace(stores, client=mortal), LaneNumber(lane), AT_ONCE, now=lambda: LATER).run()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
