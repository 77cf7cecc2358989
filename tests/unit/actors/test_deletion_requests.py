"""Tombstones go to every lane whose log may hold the subject, of earlier lane maps too."""

import pytest

from actors.deletion_requests import _spread
from heliograph.domain.deletions import SubjectType
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap

PROJECT = ProjectId("hot")
LANES = (LaneNumber(2), LaneNumber(3))
SHARED = LaneMap(1, 4)
DEDICATED = LaneMap(2, 4, {PROJECT: LANES})


def test_a_trace_goes_to_its_owner_of_now_and_to_each_before() -> None:
    (home,) = SHARED.lanes_of(PROJECT)
    names = [f"trace-{number}" for number in range(30)]
    spread = _spread([SHARED, DEDICATED], PROJECT, SubjectType.TRACE, subjects=names)
    owners = {name: DEDICATED.lane_of(PROJECT, name) for name in names}
    assert set(owners.values()) == set(LANES)
    for name in names:
        assert {lane for lane, subjects in spread.items() if name in subjects} == {home, owners[name]}


@pytest.mark.parametrize("subject_type", [one for one in SubjectType if one is not SubjectType.TRACE])
def test_what_lies_in_any_lane_goes_to_all_of_the_projects(subject_type: SubjectType) -> None:
    spread = _spread([DEDICATED], PROJECT, subject_type, subjects=["x"])
    assert spread == {LANES[0]: ["x"], LANES[1]: ["x"]}
