import itertools

import pytest

from heliograph.domain.deletions import DeletionState, Removed, SubjectType, Tombstone
from heliograph.domain.identifiers import LaneNumber, ProjectId
from storage.postgres.connection import Database
from storage.postgres.deletions import Deletions

PROJECT = ProjectId("project-1")
_numbers = itertools.count(500)


@pytest.fixture
def deletions(database: Database) -> Deletions:
    return Deletions(database)


@pytest.fixture
def lane() -> LaneNumber:
    return LaneNumber(next(_numbers))


def tombstone(lane: LaneNumber, segment: int, subject: str = "t", ordinal: int = 0) -> Tombstone:
    return Tombstone(PROJECT, SubjectType.TRACE, subject, lane, segment, ordinal, "deletion-1")


async def test_a_deletion_is_done_when_each_of_its_lanes_has_reported(deletions: Deletions) -> None:
    lanes = [LaneNumber(1), LaneNumber(3)]
    asked = await deletions.request(PROJECT, SubjectType.SESSION, ["s"], requested_by="key pk-1", lanes=lanes)
    assert (asked.state, asked.subjects, asked.lanes) == (DeletionState.REQUESTED, ("s",), (1, 3))

    await deletions.report(asked.id, LaneNumber(1), Removed(observations=2, traces=1))
    assert (await deletions.get(asked.id)).state is DeletionState.REQUESTED

    await deletions.report(asked.id, LaneNumber(3), Removed(observations=5, scores=1))
    done = await deletions.get(asked.id)
    assert done.state is DeletionState.DONE
    assert done.finished_at is not None
    assert done.removed == Removed(observations=7, traces=1, scores=1)
    assert (await deletions.latest(1))[0] == done


async def test_a_repeated_report_changes_nothing_and_maintenance_adds_to_it(deletions: Deletions) -> None:
    lane = LaneNumber(0)
    asked = await deletions.request(PROJECT, SubjectType.TRACE, ["t"], requested_by="operator", lanes=[lane])
    await deletions.report(asked.id, lane, Removed(observations=2))
    first = await deletions.get(asked.id)

    await deletions.report(asked.id, lane, Removed())
    assert await deletions.get(asked.id) == first

    await deletions.add_removed(asked.id, Removed(log_records=2))
    await deletions.add_removed(asked.id, Removed(log_records=1, archive_files=1))
    assert (await deletions.get(asked.id)).removed == Removed(observations=2, log_records=3, archive_files=1)


async def test_a_report_on_a_deletion_that_nobody_knows_is_ignored(deletions: Deletions) -> None:
    await deletions.report("nobody's", LaneNumber(0), Removed(traces=1))


async def test_tombstones_are_those_of_the_lane_oldest_first_and_each_once(
    deletions: Deletions, lane: LaneNumber
) -> None:
    older, newer = tombstone(lane, 3), tombstone(lane, 7, ordinal=2)
    await deletions.record([newer, older, tombstone(LaneNumber(lane + 1000), 5)])
    await deletions.record([older, tombstone(lane, 7, "u", ordinal=2)])

    assert [(one.segment, one.subject) for one in await deletions.tombstones(lane)] == [(3, "t"), (7, "t"), (7, "u")]
    assert (await deletions.tombstones(lane))[0] == older
    assert [one.segment for one in await deletions.tombstones(lane, from_segment=4)] == [7, 7]


async def test_thousands_of_tombstones_are_recorded_at_once(deletions: Deletions, lane: LaneNumber) -> None:
    await deletions.record(tombstone(lane, 1, f"trace-{number}") for number in range(12_000))
    assert len(await deletions.tombstones(lane)) == 12_000
