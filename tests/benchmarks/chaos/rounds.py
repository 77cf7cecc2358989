"""One round: load, a fault, recovery, and the comparison of what was acknowledged with what is stored."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
from clickhouse_connect.driver.exceptions import ClickHouseError

from heliograph.domain.identifiers import ProjectId
from heliograph.settings import Settings
from storage.clickhouse.connection import connect_blocking
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry
from tests.benchmarks.chaos.faults import Fault, Processes
from tests.benchmarks.chaos.senders import Ledger, PersistentClient, Sender, StandardExporter
from tests.benchmarks.load import templates
from tests.benchmarks.stack import Stack, connect

_WARM_SECONDS = 5.0
_CALM_SECONDS = 5.0
_GIVE_UP_SECONDS = 240.0
_POLL_SECONDS = 0.5
_SPANS_PER_REQUEST = 50
_AWAY = (ClickHouseError, OSError)


@dataclass
class Outcome:
    """What a fault has cost. Everything but the times and what was given up must be 0."""

    fault: str
    acknowledged: int = 0
    visible: int = 0
    lost: int = 0
    doubled: int = 0
    cost_error: Decimal = Decimal(0)
    # Traces whose row does not agree with their observations, and rows that nobody sent.
    disagreeing: int = 0
    unknown: int = 0
    given_up: int = 0
    refused: int = 0
    acknowledges_again: list[float] = field(default_factory=list)
    all_visible: list[float] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.doubled or self.cost_error or self.disagreeing or self.unknown)


class Visibility:
    """Notes when each acknowledged request is seen by a reader first."""

    def __init__(self, stack: Stack, ledger: Ledger) -> None:
        self._stack = stack
        self._ledger = ledger
        self._waiting: dict[str, int] = {}
        self._asked = 0
        self.seen_at: dict[int, float] = {}

    def look(self) -> None:
        """Ask for one span of each request that was not seen yet: a request is stored whole or not at all."""
        for number in range(self._asked, len(self._ledger.acknowledged)):
            self._waiting[self._ledger.acknowledged[number].ids[-1]] = number
            self._asked = number + 1
        if not self._waiting:
            return
        sql = "SELECT DISTINCT id FROM observations WHERE project_id = {p:String} AND id IN {ids:Array(String)}"
        bound = {"p": self._stack.project_id, "ids": list(self._waiting)[:2_000]}
        for (found,) in self._stack.clickhouse.query(sql, parameters=bound).result_rows:
            self.seen_at[self._waiting.pop(found)] = time.monotonic()

    def all_seen_at(self, before: float) -> float | None:
        """When the last request that was acknowledged by then became visible, or nothing if one is not yet."""
        asked = [number for number, one in enumerate(self._ledger.acknowledged) if one.ended_at <= before]
        if any(number not in self.seen_at for number in asked):
            return None
        return max((self.seen_at[number] for number in asked), default=before)


@dataclass
class Watched:
    """A client, its project, and what a reader of that project sees."""

    stack: Stack
    sender: Sender
    visibility: Visibility


async def run(fault: Fault, settings: Settings, *, rate: float, stop_merges: bool) -> Outcome:
    """Inject the fault once, under load of both clients."""
    processes = Processes(settings)
    await _until_ready(settings, processes)
    return await disturb(fault.name, lambda: fault.inject(processes), settings, rate=rate, stop_merges=stop_merges)


async def disturb(
    name: str, inject: Callable[[], object], settings: Settings, *, rate: float, stop_merges: bool = False
) -> Outcome:
    """Do something to a stack that runs, wherever its processes are, under load of both clients."""
    watched = await _clients(settings, rate)
    keeping = asyncio.create_task(_without_merges(settings)) if stop_merges else None
    for one in watched:
        one.sender.start()
    await asyncio.sleep(_WARM_SECONDS)
    injected_at = time.monotonic()
    await asyncio.to_thread(inject)
    outcome = Outcome(name)
    await _recover(watched, injected_at, outcome)
    await asyncio.gather(*(one.sender.stop() for one in watched))
    for one in watched:
        await _compare(one, outcome)
    if keeping is not None:
        keeping.cancel()
    return outcome


async def _until_ready(settings: Settings, processes: Processes) -> None:
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    async with httpx.AsyncClient(base_url=settings.url, timeout=10) as http:
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if (await http.get("/api/public/ready")).status_code == 200 and processes.is_ready:
                    return
            await asyncio.sleep(_POLL_SECONDS)
    raise TimeoutError("the stack is not ready")


async def _clients(settings: Settings, rate: float) -> list[Watched]:
    """Both clients, on different lanes, so that a fault of one lane hits one of them."""
    first = await connect("chaos-exporter", settings)
    second = await connect("chaos-client", settings)
    while await _lane_of(settings, first) == await _lane_of(settings, second):
        second = await connect("chaos-client", settings)
    exporter = StandardExporter(first.target, rate / 4)
    requests = templates(8, _SPANS_PER_REQUEST)
    client = PersistentClient(second.target, second.project_id, requests, rate * 3 / 4)
    return [
        Watched(stack, sender, Visibility(stack, sender.ledger))
        for stack, sender in ((first, exporter), (second, client))
    ]


async def _lane_of(settings: Settings, stack: Stack) -> int:
    database = Database(settings.postgres_dsn)
    lanes = (await LaneRegistry(database).lane_map()).lanes_of(ProjectId(stack.project_id))
    await database.close()
    return int(lanes[0])


async def _recover(watched: Sequence[Watched], injected_at: float, outcome: Outcome) -> None:
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        await asyncio.to_thread(_look, watched)
        recovered = [one.sender.ledger.recovered_at(injected_at) for one in watched]
        served_at = max((at for at in recovered if at is not None), default=0.0)
        if None not in recovered and time.monotonic() - served_at > _CALM_SECONDS:
            seen = [one.visibility.all_seen_at(served_at) for one in watched]
            if None not in seen:
                outcome.acknowledges_again.append(served_at - injected_at)
                outcome.all_visible.append(max(at for at in seen if at is not None) - injected_at)
                return
        await asyncio.sleep(_POLL_SECONDS)
    outcome.acknowledges_again.append(float("inf"))
    outcome.all_visible.append(float("inf"))


def _look(watched: Sequence[Watched]) -> None:
    for one in watched:
        with suppress(*_AWAY):
            one.visibility.look()


async def _compare(one: Watched, outcome: Outcome) -> None:
    """Count what is missing once everything had time to arrive, and what is there too often."""
    ledger = one.sender.ledger
    acknowledged = {span for request in ledger.acknowledged for span in request.ids}
    stored: list[tuple[str, Decimal]] = []
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        with suppress(*_AWAY):
            stored = await asyncio.to_thread(_stored, one.stack)
            if acknowledged <= {span for span, _ in stored}:
                break
        await asyncio.sleep(1)
    await asyncio.sleep(2)  # What was sent and not acknowledged may follow still.
    stored = await asyncio.to_thread(_stored, one.stack)
    unique = {span for span, _ in stored}
    traces, trace_cost, disagreeing = await asyncio.to_thread(_traces, one.stack)
    outcome.acknowledged += len(acknowledged)
    outcome.visible += len(unique)
    outcome.lost += len(acknowledged - unique)
    outcome.doubled += len(stored) - len(unique) + traces
    outcome.unknown += len(unique - ledger.costs.keys())
    expected = sum((ledger.costs.get(span, Decimal(0)) for span in unique), Decimal(0))
    outcome.cost_error += abs(trace_cost - expected) + abs(sum((cost for _, cost in stored), Decimal(0)) - expected)
    outcome.disagreeing += disagreeing
    outcome.given_up += ledger.given_up
    outcome.refused += len(ledger.failed_at)


def _stored(stack: Stack) -> list[tuple[str, Decimal]]:
    sql = "SELECT id, toString(total_cost) FROM observations FINAL WHERE project_id = {p:String}"
    rows = stack.clickhouse.query(sql, parameters={"p": stack.project_id}).result_rows
    return [(span, Decimal(cost or 0)) for span, cost in rows]


_TRACES = """
SELECT count() - uniqExact(id), toString(sum(total_cost)),
    countIf((observation_count, total_cost) != (o.spans, o.cost))
FROM (SELECT id, observation_count, total_cost FROM traces FINAL WHERE project_id = {p:String}) AS t
FULL JOIN (
    SELECT trace_id, count() AS spans, sum(total_cost) AS cost FROM observations FINAL
    WHERE project_id = {p:String} GROUP BY trace_id
) AS o ON o.trace_id = t.id
"""


def _traces(stack: Stack) -> tuple[int, Decimal, int]:
    """Doubled traces, their cost, and how many do not agree with their observations."""
    ((doubled, cost, disagreeing),) = stack.clickhouse.query(_TRACES, parameters={"p": stack.project_id}).result_rows
    return int(doubled), Decimal(cost or 0), int(disagreeing)


async def _without_merges(settings: Settings) -> None:
    """Keep ClickHouse from merging, also after a restart, which forgets it."""
    while True:
        with suppress(*_AWAY, Exception):
            client = await asyncio.to_thread(connect_blocking, settings.clickhouse, settings.clickhouse_url)
            while True:
                await asyncio.to_thread(client.command, "SYSTEM STOP MERGES")
                await asyncio.sleep(1)
        await asyncio.sleep(0.2)
