"""The way to the lanes: gathered calls, and an answer for every caller whatever happens on the way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from actors.lane import AppendOutcome, AppendStatus, PackedAppend
from actors.lane_client import LaneClient
from heliograph.domain.errors import Overloaded, Unavailable
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap
from heliograph.settings import IngestSettings
from tests.unit.actors.batches import Span, batch_of

PROJECT_ID = ProjectId("project-1")
DURABLE = AppendOutcome(AppendStatus.DURABLE)


class AnsweringLane:
    """Answers each project as told, or raises; keeps what it was called with."""

    def __init__(self, answers: dict[str, AppendOutcome] | Exception) -> None:
        self._answers = answers
        self.calls: list[list[str]] = []
        self.versions: list[int] = []

    async def append(self, appends: Sequence[PackedAppend], map_version: int) -> list[AppendOutcome]:
        self.versions.append(map_version)
        self.calls.append([append.project_id for append in appends])
        if isinstance(self._answers, Exception):
            raise self._answers
        return [self._answers.get(append.project_id, DURABLE) for append in appends]


def client_of(*lanes: AnsweringLane, dedicated: dict[ProjectId, tuple[LaneNumber, ...]] | None = None) -> LaneClient:
    lane_map = LaneMap(1, len(lanes), dedicated or {})
    return LaneClient(
        lane_map, lambda number: lanes[number], IngestSettings(), read_map=reading(lane_map), waits=(0.0, 0.0)
    )


def reading(lane_map: LaneMap) -> Callable[[], Awaitable[LaneMap]]:
    async def read_map() -> LaneMap:
        return lane_map

    return read_map


async def test_requests_that_come_together_are_one_call() -> None:
    lane = AnsweringLane({})
    client = client_of(lane)
    await asyncio.gather(*(client.append(batch_of(Span(f"s{number}"))) for number in range(10)))
    assert lane.calls == [["project-1"]]


async def test_an_overloaded_project_does_not_cost_its_neighbour() -> None:
    lane = AnsweringLane({"loud": AppendOutcome(AppendStatus.OVERLOADED, 1.5)})
    client = client_of(lane)
    loud, quiet = await asyncio.gather(
        client.append(batch_of(Span("a", project_id="loud"))),
        client.append(batch_of(Span("b", project_id="quiet"))),
        return_exceptions=True,
    )
    assert isinstance(loud, Overloaded)
    assert loud.retry_after == 1.5
    assert quiet is None


class SlowForLarge(AnsweringLane):
    """Answers a call with a large append only when it is told to."""

    def __init__(self) -> None:
        super().__init__({})
        self.released = asyncio.Event()

    async def append(self, appends: Sequence[PackedAppend], map_version: int) -> list[AppendOutcome]:
        if sum(buffer.size for append in appends for buffer in append.buffers) > 200_000:
            await self.released.wait()
        return await super().append(appends, map_version)


async def test_nobody_waits_for_the_append_of_a_hot_project() -> None:
    lane = SlowForLarge()
    client = client_of(lane)
    large = batch_of(*(Span(f"s{number}", project_id="hot") for number in range(2_000)))
    hot = asyncio.create_task(client.append(large))
    await asyncio.wait_for(client.append(batch_of(Span("a", project_id="quiet"))), 30)
    assert not hot.done()
    lane.released.set()
    await hot


class MovingLane(AnsweringLane):
    """Refuses what is sent under an older map than its own."""

    def __init__(self, own: int) -> None:
        super().__init__({})
        self._own = own

    async def append(self, appends: Sequence[PackedAppend], map_version: int) -> list[AppendOutcome]:
        outcomes = await super().append(appends, map_version)
        is_known = map_version >= self._own
        return outcomes if is_known else [AppendOutcome(AppendStatus.WRONG_LANE)] * len(outcomes)


async def test_a_project_that_has_moved_is_sent_to_its_new_lane() -> None:
    old, new = MovingLane(2), AnsweringLane({})
    before, after = (LaneMap(version, 2, {PROJECT_ID: (LaneNumber(version - 1),)}) for version in (1, 2))
    client = LaneClient(before, (old, new).__getitem__, IngestSettings(), read_map=reading(after))
    await client.append(batch_of(Span("a")))
    await client.append(batch_of(Span("b")))
    assert (old.versions, new.versions) == ([1], [2, 2])


async def test_only_the_share_that_was_refused_is_sent_again() -> None:
    lanes = [MovingLane(2), AnsweringLane({}), AnsweringLane({})]
    before, after = (
        LaneMap(version, 3, {PROJECT_ID: (LaneNumber(first), LaneNumber(1))}) for version, first in ((1, 0), (2, 2))
    )
    client = LaneClient(before, lanes.__getitem__, IngestSettings(), read_map=reading(after))
    await client.append(batch_of(*(Span(f"s{number}", trace_id=f"trace-{number}") for number in range(40))))
    assert [lane.versions for lane in lanes] == [[1], [1], [2]]


async def test_a_lane_that_goes_on_refusing_is_unavailable_to_the_caller() -> None:
    lane = MovingLane(9)
    with pytest.raises(Unavailable):
        await client_of(lane).append(batch_of(Span("a")))
    assert len(lane.calls) == 3


async def test_a_newer_map_of_a_lane_is_learned_although_nothing_was_refused() -> None:
    lane = AnsweringLane({PROJECT_ID: AppendOutcome(AppendStatus.DURABLE, map_version=2)})
    after = LaneMap(2, 1)
    client = LaneClient(LaneMap(1, 1), (lane,).__getitem__, IngestSettings(), read_map=reading(after))
    await client.append(batch_of(Span("a")))
    await asyncio.sleep(0)
    await client.append(batch_of(Span("b")))
    assert lane.versions == [1, 2]


@pytest.mark.parametrize("error", [Unavailable("The ingestion lane", 2.0), RuntimeError("a defect")])
async def test_every_caller_is_answered_when_the_call_fails(error: Exception) -> None:
    client = client_of(AnsweringLane(error))
    with pytest.raises(Unavailable):
        await asyncio.wait_for(client.append(batch_of(Span("a"))), 30)


async def test_a_hot_project_is_spread_over_its_lanes_by_trace() -> None:
    lanes = [AnsweringLane({}), AnsweringLane({})]
    hot: dict[ProjectId, tuple[LaneNumber, ...]] = {ProjectId("project-1"): (LaneNumber(0), LaneNumber(1))}
    client = client_of(*lanes, dedicated=hot)
    await client.append(batch_of(*(Span(f"s{number}", trace_id=f"trace-{number}") for number in range(40))))
    assert [lane.calls for lane in lanes] == [[["project-1"]], [["project-1"]]]
