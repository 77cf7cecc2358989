"""Several lanes without Ray, that can be killed, with clients that send to them all the while."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeVar

from actors.lane import AppendOutcome, Lane, PackedAppend
from actors.lane_client import LaneClient
from actors.resharding import Resharding
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap
from heliograph.settings import IngestSettings
from storage.objects import connection as objects
from storage.objects.raw_log import RawLog
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry
from storage.postgres.resharding import LaneMapChanges
from tests.integration.actors.lane_bench import Bench, abandon, flushed

_T = TypeVar("_T")
Step = Callable[[str], Awaitable[None]]


async def nothing_happens(_step: str) -> None:
    """A step that goes well."""


class Killed(BaseException):
    """The orchestrator ends here, as by kill -9."""


@dataclass
class LaneSet:
    """The lanes of one bucket and one database."""

    bench: Bench
    bucket: str
    running: dict[LaneNumber, Lane] = field(default_factory=dict)
    calls: set[asyncio.Task[None]] = field(default_factory=set)
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self, numbers: Sequence[LaneNumber]) -> None:
        """Start those that do not run; whoever asks for the same one meanwhile waits, as Ray lets them."""
        async with self.starting:
            for number in numbers:
                if number not in self.running:
                    client = objects.connect(self.bench.settings.s3, self.bench.settings.s3_url)
                    lane = replace(self.bench, number=number).lane(log=RawLog(client, self.bucket, number))
                    await lane.start()
                    self.running[number] = lane

    async def kill(self, number: LaneNumber) -> None:
        """Kill -9."""
        await abandon(self.running.pop(number))

    async def kill_and_restart(self, number: LaneNumber) -> None:
        """Kill -9, and what Ray does then."""
        await self.kill(number)
        await self.start([number])

    async def flushed(self) -> None:
        """Return when every lane has stored everything."""
        for lane in self.running.values():
            await flushed(lane)

    async def stop(self) -> None:
        """End every lane."""
        for lane in self.running.values():
            await lane.stop()

    def resharding(self, at: Step = nothing_happens, *, patience_seconds: float = 30.0) -> Resharding:
        """An orchestrator to which something happens before and after its steps."""
        changes = Changes(self.bench.database, at)
        return Resharding(
            changes, lambda number: LocalLane(self, number, at), self.start, patience_seconds=patience_seconds
        )

    async def client(self) -> LaneClient:
        """A client of its own, as every ingestion replica has one."""
        registry = LaneRegistry(self.bench.database)
        return LaneClient(
            await registry.lane_map(),
            lambda number: LocalLane(self, number),
            IngestSettings(),
            read_map=registry.lane_map,
        )


class Changes(LaneMapChanges):
    """The changes of the map, with something that happens around them."""

    def __init__(self, database: Database, at: Step) -> None:
        super().__init__(database)
        self._at = at

    async def propose(self, change: Callable[[LaneMap], LaneMap]) -> LaneMap:
        """See LaneMapChanges."""
        proposed = await super().propose(change)
        await self._at("proposed")
        return proposed

    async def publish(self, version: int) -> None:
        """See LaneMapChanges."""
        await self._at("before publishing")
        await super().publish(version)
        await self._at("published")


class LocalLane:
    """One lane of the set, which is unavailable while none runs."""

    def __init__(self, lanes: LaneSet, number: LaneNumber, at: Step = nothing_happens) -> None:
        self._lanes = lanes
        self._number = number
        self._at = at

    @property
    def _lane(self) -> Lane:
        if self._number not in self._lanes.running:
            raise Unavailable("This lane", 0.1)
        return self._lanes.running[self._number]

    async def append(self, appends: Sequence[PackedAppend], map_version: int) -> list[AppendOutcome]:
        """See Lane.append; the answer of a lane that is killed meanwhile is lost."""
        return await self._unless_killed(lambda lane: lane.append(appends, map_version))

    async def give_up(self, map_version: int, projects: Sequence[ProjectId]) -> None:
        """See Handover.give_up."""
        await self._at(f"lane {self._number} before giving up")
        await self._unless_killed(lambda lane: lane.handover.give_up(map_version, projects))
        await self._at(f"lane {self._number} gave up")

    async def take_over(self, map_version: int, generations: Mapping[ProjectId, int]) -> None:
        """See Handover.take_over."""
        await self._at(f"lane {self._number} before taking over")
        await self._unless_killed(lambda lane: lane.handover.take_over(map_version, generations))
        await self._at(f"lane {self._number} took over")

    async def adopt(self) -> int:
        """See Handover.adopt."""
        await self._at(f"lane {self._number} before adopting")
        return await self._unless_killed(lambda lane: lane.handover.adopt())

    async def _unless_killed(self, call: Callable[[Lane], Awaitable[_T]]) -> _T:
        lane = self._lane
        task = asyncio.ensure_future(call(lane))
        while not task.done():
            await asyncio.wait([task], timeout=0.02)
            if self._lanes.running.get(self._number) is not lane:
                task.cancel()
                raise Unavailable("This lane", 0.1)
        return await task


@asynccontextmanager
async def lane_set(bench: Bench) -> AsyncIterator[LaneSet]:
    """Lanes of the map in force, over a bucket of their own."""
    bucket = f"lanes-{uuid.uuid4().hex}"
    objects.connect(bench.settings.s3, bench.settings.s3_url).create_bucket(Bucket=bucket)
    lanes = LaneSet(bench, bucket)
    await lanes.start((await LaneRegistry(bench.database).lane_map()).lanes)
    try:
        yield lanes
    finally:
        await lanes.stop()


class Sender:
    """Sends traces span by span, and spans again with another cost; knows what the rows must be at the end."""

    def __init__(self, bench: Bench, client: LaneClient, *, first_trace: int) -> None:
        self._bench = bench
        self._client = client
        self._first_trace = first_trace
        self._is_ending = False
        self.acknowledged: dict[tuple[int, int], float] = {}
        self.refused = 0
        self._answered = asyncio.Event()

    async def acknowledgement(self) -> None:
        """Return when the next span is acknowledged."""
        self._answered.clear()
        await self._answered.wait()

    async def run(self) -> None:
        """Send until `end`."""
        number = 0
        while not self._is_ending:
            # Six traces at a time, each of four spans; the last one is sent again, dearer than before.
            trace = self._first_trace + number // 24
            span, cost = number % 4 + 1, 0.5 + number % 24
            traces = [trace * 8 + each for each in range(3)]
            await asyncio.gather(*(self._send(each, span, cost) for each in traces))
            number += 1

    def end(self) -> None:
        """Let `run` return."""
        self._is_ending = True

    async def _send(self, trace: int, span: int, cost: float) -> None:
        batch = self._bench.batch(span, cost=cost, trace=trace)
        while True:
            try:
                await self._client.append(batch)
            except Unavailable:
                self.refused += 1
                await asyncio.sleep(0.05)
            else:
                self.acknowledged[trace, span] = cost
                self._answered.set()
                return


@asynccontextmanager
async def sending(lanes: LaneSet, *, clients: int = 2) -> AsyncIterator[list[Sender]]:
    """Clients that send for as long as the block takes; at its end everything is stored."""
    first = uuid.uuid4().int % 10**9
    senders = [
        Sender(lanes.bench, await lanes.client(), first_trace=first + 10**6 * number) for number in range(clients)
    ]
    tasks = [asyncio.create_task(sender.run()) for sender in senders]
    try:
        yield senders
        for sender in senders:
            sender.end()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)
        await lanes.flushed()
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def stored(bench: Bench) -> tuple[dict[tuple[int, int], float], dict[int, tuple[int, float]]]:
    """The cost of each span, and count and cost of each trace, as readers see them; a row twice fails."""
    spans: dict[tuple[int, int], float] = {}
    for trace, span, cost, *_ in bench.rows("observations"):
        assert (int(trace, 16), int(span, 16)) not in spans
        spans[int(trace, 16), int(span, 16)] = float(Decimal(cost))
    traces = {int(trace, 16): (count, float(Decimal(cost))) for trace, count, cost, *_ in bench.rows("traces")}
    return spans, traces


def expected(senders: Sequence[Sender]) -> tuple[dict[tuple[int, int], float], dict[int, tuple[int, float]]]:
    """The same from what was acknowledged."""
    spans = {key: cost for sender in senders for key, cost in sender.acknowledged.items()}
    traces: dict[int, tuple[int, float]] = {}
    for (trace, _), cost in spans.items():
        count, total = traces.get(trace, (0, 0.0))
        traces[trace] = (count + 1, total + cost)
    return spans, traces
