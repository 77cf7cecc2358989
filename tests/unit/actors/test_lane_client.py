"""The way to the lanes: gathered calls, and an answer for every caller whatever happens on the way."""

import asyncio
from collections.abc import Sequence

import pytest

from actors.lane import AppendOutcome, AppendStatus, PackedAppend
from actors.lane_client import LaneClient
from heliograph.domain.errors import Overloaded, Unavailable
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap
from heliograph.settings import IngestSettings
from tests.unit.actors.batches import Span, batch_of

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

    async def read_map() -> LaneMap:
        return lane_map

    return LaneClient(lane_map, lambda number: lanes[number], IngestSettings(), read_map=read_map)


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
