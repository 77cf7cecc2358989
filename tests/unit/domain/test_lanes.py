"""Lanes and log positions."""

from hypothesis import given
from hypothesis import strategies as st

from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import (
    GENERATION_BITS,
    MAX_RECORDS_PER_SEGMENT,
    ORDINAL_BITS,
    SEGMENT_BITS,
    LaneMap,
    LogPosition,
    row_version,
)

generations = st.integers(0, (1 << GENERATION_BITS) - 1)
segments = st.integers(0, (1 << SEGMENT_BITS) - 1)
ordinals = st.integers(0, MAX_RECORDS_PER_SEGMENT - 1)
places = st.tuples(generations, segments, ordinals)

QUIET, HOT = ProjectId("quiet"), ProjectId("hot")
LANES = LaneMap(version=3, count=4, dedicated={HOT: (LaneNumber(1), LaneNumber(3))})


@given(places, places)
def test_row_versions_order_as_generation_then_segment_then_ordinal(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    assert (row_version(*one) < row_version(*other)) == (one < other)


def test_row_version_fits_an_unsigned_64_bit_integer() -> None:
    assert GENERATION_BITS + SEGMENT_BITS + ORDINAL_BITS == 64
    last = row_version((1 << GENERATION_BITS) - 1, (1 << SEGMENT_BITS) - 1, MAX_RECORDS_PER_SEGMENT - 1)
    assert last == (1 << 64) - 1


def test_a_row_of_a_new_generation_wins_against_every_older_one() -> None:
    assert row_version(1, 0) > row_version(0, (1 << SEGMENT_BITS) - 1, MAX_RECORDS_PER_SEGMENT - 1)


def test_positions_of_a_later_epoch_come_later() -> None:
    assert LogPosition(epoch=2, segment=8) > LogPosition(epoch=1, segment=7)


@given(st.text())
def test_a_quiet_project_has_one_lane_for_every_subject(subject: str) -> None:
    assert (LANES.lane_of(QUIET, subject),) == LANES.lanes_of(QUIET)


@given(st.text())
def test_a_subject_of_a_hot_project_goes_to_one_of_its_lanes_and_stays_there(subject: str) -> None:
    assert LANES.lane_of(HOT, subject) in {1, 3}
    assert LANES.lane_of(HOT, subject) == LANES.lane_of(HOT, subject)


def test_subjects_of_a_hot_project_are_spread() -> None:
    assert {LANES.lane_of(HOT, f"trace-{number}") for number in range(50)} == {1, 3}


@given(st.text(), st.integers(1, 64))
def test_every_project_has_a_lane_that_exists(project: str, count: int) -> None:
    (lane,) = LaneMap(version=1, count=count).lanes_of(ProjectId(project))
    assert 0 <= lane < count
