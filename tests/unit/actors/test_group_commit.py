"""Group commit: who waits for what, and what each caller is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from actors.group_commit import GroupCommit
from heliograph.domain.errors import Overloaded, Unavailable
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lane_errors import LaneFenced
from heliograph.domain.lanes import LogPosition
from heliograph.settings import LaneSettings
from storage.objects import segments
from storage.objects.raw_log import Written
from tests.unit.actors.batches import Span, batch_of


class ScriptedLog:
    """A log that answers each write as told, and keeps what it took."""

    def __init__(self, *answers: Written | Exception) -> None:
        self._answers = list(answers)
        self.written: dict[LogPosition, list[str]] = {}

    def new_nonce(self) -> str:
        return "nonce"

    def write(self, position: LogPosition, data: bytes, _nonce: str) -> Written:
        answer = self._answers.pop(0) if self._answers else Written.OURS
        if isinstance(answer, Exception):
            raise answer
        if answer is Written.OURS:
            self.written[position] = segments.decode(data)["entity_id"].to_pylist()
        return answer


class RecordingFollower:
    """Keeps every offer; it has room unless a test fills it."""

    def __init__(self) -> None:
        self.offers: list[tuple[LogPosition, MappedBatch | None]] = []
        self.is_full = False

    def has_room(self) -> bool:
        return not self.is_full

    async def make_room(self, max_seconds: float) -> None:
        await asyncio.sleep(min(max_seconds, 0.001))

    def offer(self, position: LogPosition, batch: MappedBatch | None) -> None:
        self.offers.append((position, batch))


@asynccontextmanager
async def committing(
    log: ScriptedLog,
    follower: RecordingFollower,
    *,
    settings: LaneSettings | None = None,
    on_fenced: Callable[[], None] = lambda: None,
) -> AsyncIterator[GroupCommit]:
    with ThreadPoolExecutor(1) as executor:
        commits = GroupCommit(log, follower, settings or LaneSettings(), executor=executor, on_fenced=on_fenced)
        commits.open(LaneNumber(0), LogPosition(1, 1))
        task = asyncio.create_task(commits.run())
        try:
            yield commits
        finally:
            commits.close()
            await asyncio.wait_for(task, 5)


async def test_concurrent_appends_become_one_segment() -> None:
    log, follower = ScriptedLog(), RecordingFollower()
    async with committing(log, follower) as commits:
        await commits.append("p", batch_of(Span("first")))
        await asyncio.gather(*(commits.append("p", batch_of(Span(f"s{number}"))) for number in range(20)))
    assert log.written[LogPosition(1, 1)] == ["first"]
    assert sorted(log.written[LogPosition(1, 2)]) == sorted(f"s{number}" for number in range(20))
    assert len(follower.offers) == 2


def of_fifty(name: str) -> MappedBatch:
    return batch_of(*(Span(f"{name}{number}") for number in range(50)))


async def test_a_busy_sender_who_is_alone_waits_for_nobody() -> None:
    log, follower = ScriptedLog(), RecordingFollower()
    async with committing(log, follower, settings=LaneSettings(segment_spacing_seconds=600)) as commits:
        for number in range(3):
            await asyncio.wait_for(commits.append("p", of_fifty(f"s{number}-")), 5)
    assert [len(ids) for ids in log.written.values()] == [50, 50, 50]


async def test_a_segment_waits_for_all_whom_the_last_one_answered() -> None:
    log, follower = ScriptedLog(), RecordingFollower()
    async with committing(log, follower, settings=LaneSettings(segment_spacing_seconds=600)) as commits:
        await asyncio.gather(commits.append("p", of_fifty("a")), commits.append("p", of_fifty("b")))
        first = asyncio.create_task(commits.append("p", of_fifty("c")))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not follower.offers[1:]
        await asyncio.wait_for(asyncio.gather(first, commits.append("p", of_fifty("d"))), 5)
    assert [len(ids) for ids in log.written.values()] == [100, 100]


async def test_records_are_sorted_by_project_and_rows_follow() -> None:
    log, follower = ScriptedLog(), RecordingFollower()
    async with committing(log, follower) as commits:
        await asyncio.gather(
            commits.append("q", batch_of(Span("a", project_id="q"), Span("b", project_id="q"))),
            commits.append("p", batch_of(Span("c", project_id="p"))),
        )
    ((_, batch),) = follower.offers
    assert batch is not None
    ids = batch.observations["id"].to_pylist()
    records = batch.observations["record"].to_pylist()
    assert [batch.records["entity_id"].to_pylist()[record] for record in records] == ids
    assert log.written[LogPosition(1, 1)] == ["c", "a", "b"]


async def test_nothing_is_acknowledged_while_the_log_is_away() -> None:
    log, follower = ScriptedLog(Unavailable("The raw log", 2.0)), RecordingFollower()
    async with committing(log, follower) as commits:
        with pytest.raises(Unavailable):
            await commits.append("p", batch_of(Span("a")))
        await commits.append("p", batch_of(Span("b")))
    assert log.written == {LogPosition(1, 1): ["b"]}
    assert [position for position, _ in follower.offers] == [LogPosition(1, 1)]


async def test_bytes_that_landed_late_are_merged_and_the_next_number_is_used() -> None:
    log, follower = ScriptedLog(Written.OURS_EARLIER), RecordingFollower()
    async with committing(log, follower) as commits:
        await commits.append("p", batch_of(Span("a")))
    assert [(position.segment, batch is None) for position, batch in follower.offers] == [(1, True), (2, False)]


async def test_a_fenced_owner_stops_appending_for_good() -> None:
    log, follower, told = ScriptedLog(Written.FOREIGN), RecordingFollower(), []
    async with committing(log, follower, on_fenced=lambda: told.append(True)) as commits:
        with pytest.raises(LaneFenced):
            await commits.append("p", batch_of(Span("a")))
        with pytest.raises(LaneFenced):
            await commits.append("p", batch_of(Span("a")))
    assert told == [True]
    assert follower.offers == []


async def test_a_project_at_its_bound_is_overloaded_and_its_neighbour_is_not() -> None:
    big, small = batch_of(*(Span(f"s{number}") for number in range(50))), batch_of(Span("n", project_id="quiet"))
    settings = LaneSettings(max_project_bytes=int(big.nbytes * 1.5))
    log, follower = ScriptedLog(), RecordingFollower()
    async with committing(log, follower, settings=settings) as commits:
        first = asyncio.create_task(commits.append("loud", big))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await commits.append("loud", big)
        await commits.append("quiet", small)
        await first


async def test_a_hot_project_that_waits_for_the_merge_keeps_no_quiet_one_waiting() -> None:
    hot = batch_of(*(Span(f"s{number}", project_id="hot") for number in range(2_000)))
    log, follower = ScriptedLog(), RecordingFollower()
    async with committing(log, follower) as commits:
        follower.is_full = True
        waiting = asyncio.create_task(commits.append("hot", hot))
        for number in range(3):
            await commits.append(f"quiet-{number}", batch_of(Span(f"q{number}", project_id=f"quiet-{number}")))
        assert not waiting.done()
        follower.is_full = False
        await waiting
    assert [len(ids) for ids in log.written.values()] == [1, 1, 1, 2_000]


async def test_closing_commits_what_was_accepted_and_refuses_the_rest() -> None:
    log, follower = ScriptedLog(), RecordingFollower()
    async with committing(log, follower) as commits:
        accepted = asyncio.create_task(commits.append("p", batch_of(Span("a"))))
        await asyncio.sleep(0)
        commits.close()
        with pytest.raises(Unavailable):
            await commits.append("p", batch_of(Span("b")))
        await accepted
    assert log.written == {LogPosition(1, 1): ["a"]}
