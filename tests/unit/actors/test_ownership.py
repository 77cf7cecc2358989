"""What a lane takes and what it leaves to others, by the maps that it and its senders know."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from actors.ownership import Ownership
from heliograph.domain.events import RecordKind
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap
from tests.unit.actors.batches import Grave, Span, batch_of

HOT = ProjectId("hot")
ONE, TWO, THREE = LaneNumber(1), LaneNumber(2), LaneNumber(3)
BEFORE = LaneMap(1, 4, {HOT: (ONE,)})
AFTER = LaneMap(2, 4, {HOT: (TWO, THREE)})


def ownership(lane: LaneNumber, in_force: LaneMap, pending: LaneMap | None = None) -> Ownership:
    made = Ownership(lane)
    made.in_force, made.pending = in_force, pending
    return made


def records(*subjects: str, project: str = HOT) -> pa.Table:
    return batch_of(*(Span("a", trace_id=subject, project_id=project) for subject in subjects)).records


def test_a_sender_of_the_same_map_is_trusted() -> None:
    assert ownership(ONE, BEFORE).takes(HOT, records("t"), map_version=1)


def test_a_lane_that_gives_up_a_project_refuses_it_whatever_its_sender_knows() -> None:
    lane = ownership(ONE, BEFORE, AFTER)
    assert not any(lane.takes(HOT, records("t"), version) for version in (1, 2, 3))


def test_another_project_is_taken_while_one_moves() -> None:
    home = BEFORE.lanes_of(ProjectId("quiet"))[0]
    lane = ownership(home, BEFORE, AFTER)
    assert all(lane.takes("quiet", records("t", project="quiet"), version) for version in (0, 1, 2))


def test_a_lane_takes_a_project_only_once_its_map_is_in_force() -> None:
    subject = next(name for name in map(str, range(99)) if AFTER.lane_of(HOT, name) == TWO)
    assert not ownership(TWO, BEFORE).takes(HOT, records(subject), map_version=2)
    assert ownership(TWO, AFTER).takes(HOT, records(subject), map_version=1)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=6), st.sampled_from([TWO, THREE]))
def test_under_another_map_every_subject_is_looked_at(subjects: list[str], lane: LaneNumber) -> None:
    takes = ownership(lane, AFTER).takes(HOT, records(*subjects), map_version=1)
    assert takes == all(AFTER.lane_of(HOT, subject) == lane for subject in subjects)


def test_tombstones_need_one_mind_about_the_owner() -> None:
    tombstones = batch_of(Grave("trace", "t", project_id=HOT)).records
    assert ownership(ONE, AFTER).takes(HOT, tombstones, map_version=2)
    assert not ownership(ONE, AFTER).takes(HOT, tombstones, map_version=1)
    assert not ownership(ONE, BEFORE, AFTER).takes(HOT, tombstones, map_version=1)
    assert not ownership(TWO, BEFORE).takes(HOT, tombstones, map_version=2)


def test_a_replay_gives_no_rows_for_what_has_moved_and_keeps_the_ordinals() -> None:
    mixed = pa.concat_tables([records("a"), records("b", project="quiet"), records("c")])
    home = AFTER.lanes_of(ProjectId("quiet"))[0]
    kept = ownership(home, AFTER).without_moved(mixed)
    assert kept["subject"].to_pylist() == ["a", "b", "c"]
    owned = [AFTER.lane_of(HOT, subject) == home for subject in ("a", "c")]
    expected = [RecordKind.EVENT if is_ours else RecordKind.MOVED for is_ours in (owned[0], True, owned[1])]
    assert kept["kind"].to_pylist() == expected
