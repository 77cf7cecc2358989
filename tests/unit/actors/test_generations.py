"""Generations: a function of the segment, whatever was raised since."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from actors.generations import Generations
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.lanes import RaisedGeneration

PROJECT = ProjectId("p")
bounds = st.lists(st.integers(1, 60), unique=True, max_size=6).map(sorted)


def raised_at(*segments: int) -> Generations:
    return Generations([RaisedGeneration(PROJECT, at, number + 1) for number, at in enumerate(segments)])


@given(bounds)
def test_it_never_falls_from_segment_to_segment(segments: list[int]) -> None:
    found = [raised_at(*segments).of(PROJECT, number) for number in range(70)]
    assert all(one <= other for one, other in pairwise(found))
    assert found[-1] == len(segments)


@given(bounds, st.integers(61, 69))
def test_a_later_raise_changes_nothing_before_it(segments: list[int], later: int) -> None:
    before, after = raised_at(*segments), raised_at(*segments, later)
    assert all(before.of(PROJECT, number) == after.of(PROJECT, number) for number in range(later))


@given(bounds, st.integers(0, 70), st.integers(0, 70))
def test_two_segments_may_be_merged_at_once_only_if_their_generations_are_equal(
    segments: list[int], one: int, other: int
) -> None:
    first, last = sorted((one, other))
    generations = raised_at(*segments)
    is_equal = generations.of(PROJECT, first) == generations.of(PROJECT, last)
    assert (generations.raised_between(first, last) == set()) == is_equal


def test_another_project_is_not_touched() -> None:
    assert raised_at(3).of("q", 9) == 0
