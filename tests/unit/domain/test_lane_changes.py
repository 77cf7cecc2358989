"""Changes of the lane map: who moves, and whom that concerns."""

from hypothesis import given
from hypothesis import strategies as st

from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneChange, LaneMap

projects = st.sampled_from([ProjectId(f"p{number}") for number in range(8)])
counts = st.integers(1, 6)


@st.composite
def maps(draw: st.DrawFn) -> LaneMap:
    lane_map = LaneMap(1, draw(counts))
    for project in draw(st.lists(projects, max_size=3)):
        lanes = draw(st.lists(st.sampled_from(lane_map.lanes), min_size=1, unique=True))
        lane_map = lane_map.with_dedicated(project, lanes)
    return lane_map


@st.composite
def changes(draw: st.DrawFn) -> LaneChange:
    before = draw(maps())
    kind = draw(st.sampled_from(["add", "share", "dedicate", "return"]))
    match kind:
        case "add" | "share":
            after = before.with_lanes_added(draw(counts), shared=kind == "share")
        case "dedicate":
            lanes = draw(st.lists(st.sampled_from(before.lanes), min_size=1, unique=True))
            after = before.with_dedicated(draw(projects), lanes)
        case _:
            after = before.with_shared(draw(projects))
    return LaneChange(before, after)


@given(changes(), st.text(min_size=1), st.text())
def test_a_subject_that_gets_another_lane_leaves_a_losing_one_for_a_gaining_one(
    change: LaneChange, project: str, subject: str
) -> None:
    for project_id in (ProjectId(project), *change.before.dedicated, *change.after.dedicated):
        old, new = (lane_map.lane_of(project_id, subject) for lane_map in (change.before, change.after))
        if old != new:
            assert change.moves(project_id)
            assert old in change.losing
            assert new in change.gaining


@given(maps(), counts)
def test_added_lanes_move_nobody_unless_they_are_shared(before: LaneMap, count: int) -> None:
    change = LaneChange(before, before.with_lanes_added(count))
    assert (change.losing, change.gaining) == (frozenset(), frozenset())
    assert change.after.count == before.count + count


@given(maps(), counts, st.text())
def test_quiet_projects_use_shared_lanes_that_were_added(before: LaneMap, count: int, project: str) -> None:
    after = before.with_lanes_added(count, shared=True)
    assert set(after.pool) == set(before.pool) | {LaneNumber(before.count + number) for number in range(count)}
    assert set(after.lanes_of(ProjectId(project))) <= set(after.lanes)


@given(maps(), projects, st.lists(st.text(), max_size=5))
def test_of_each_subject_there_is_one_owner(lane_map: LaneMap, project: ProjectId, subjects: list[str]) -> None:
    for subject in subjects:
        owners = [lane for lane in lane_map.lanes if lane_map.owns(lane, project, [subject])]
        assert owners == [lane_map.lane_of(project, subject)]


@given(maps(), projects)
def test_a_project_that_goes_back_is_where_quiet_ones_are(lane_map: LaneMap, project: ProjectId) -> None:
    there = lane_map.with_dedicated(project, lane_map.lanes)
    assert there.with_shared(project).lanes_of(project) == lane_map.with_shared(project).lanes_of(project)
    assert set(there.with_shared(project).lanes_of(project)) <= set(lane_map.pool)
