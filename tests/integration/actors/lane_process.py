"""A lane in a process of its own, which takes appends from its standard input and prints what became of each."""

import asyncio
import sys
from datetime import datetime

from actors.directory import LaneActor
from actors.lane import PackedAppend
from heliograph.domain.events import pack
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.settings import Settings
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.postgres.connection import Database
from tests.integration.actors.lane_bench import FAST, Bench


async def main(number: int, project_id: str) -> None:
    """Append a span for each line `id received_at`; end as the lane ends."""
    settings = Settings(lanes=FAST)
    clickhouse = DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url))
    bench = Bench(settings, clickhouse, Database(settings.postgres_dsn), LaneNumber(number), ProjectId(project_id))
    actor = LaneActor.__new__(LaneActor)
    await actor.__init__(number, settings)  # type: ignore[misc]  # as Ray does it
    sys.stdout.write("started\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        span, received_at = line.split()
        batch = bench.batch(int(span), received_at=datetime.fromisoformat(received_at))
        ((status, *_),) = await actor.append([PackedAppend(project_id, pack(batch))], 10**6)
        sys.stdout.write(f"{status.value}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
