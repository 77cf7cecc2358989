"""Buffers of projects: equal bytes for everyone, whatever the sizes of their appends."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from actors.project_buffer import ProjectBuffers, Waiting
from heliograph.domain.lanes import LogPosition
from tests.unit.actors.batches import Span, batch_of

_BATCH = batch_of(Span("a"))
_MEGABYTE = 1 << 20


def buffers(*appends: tuple[str, int]) -> ProjectBuffers:
    """These appends, of so many bytes each, in their order."""
    made = ProjectBuffers(max_project_bytes=1 << 40, max_bytes=1 << 40)
    for project_id, nbytes in appends:
        durable: asyncio.Future[LogPosition] = asyncio.Future(loop=asyncio.new_event_loop())
        made.add(Waiting(project_id, _BATCH, nbytes, durable))
    return made


def test_a_project_of_large_appends_gets_no_more_than_one_of_small_ones() -> None:
    waiting = buffers(*[("hot", 4 * _MEGABYTE)] * 20, *[("small", _MEGABYTE // 4)] * 200)
    taken = waiting.take(max_bytes=40 * _MEGABYTE, max_records=10_000)
    by_project = {name: sum(one.nbytes for one in taken if one.project_id == name) for name in ("hot", "small")}
    assert abs(by_project["hot"] - by_project["small"]) <= 4 * _MEGABYTE


def test_the_first_append_of_every_quiet_project_comes_before_a_hot_ones_second() -> None:
    waiting = buffers(*[("hot", _MEGABYTE)] * 10, *[(f"quiet-{number}", 10_000) for number in range(50)])
    taken = [one.project_id for one in waiting.take(max_bytes=3 * _MEGABYTE, max_records=10_000)]
    assert {f"quiet-{number}" for number in range(50)} <= set(taken[:51])


def test_quiet_projects_are_taken_whole_and_hot_ones_left() -> None:
    waiting = buffers(("hot", _MEGABYTE), ("quiet", 1_000), ("quiet", 1_000), ("other", 1_000))
    taken = waiting.take_quiet(max_project_bytes=_MEGABYTE // 2, max_records=10_000)
    assert [one.project_id for one in taken] == ["quiet", "quiet", "other"]
    assert (waiting.nbytes, waiting.records) == (_MEGABYTE, 1)
    assert [one.project_id for one in waiting.take(max_bytes=1, max_records=1)] == ["hot"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 2 * _MEGABYTE)), max_size=30),
    st.integers(1, 4 * _MEGABYTE),
)
def test_everything_is_taken_once_and_in_the_order_of_its_project(appends: list[tuple[str, int]], bound: int) -> None:
    waiting = buffers(*appends)
    taken: list[tuple[str, int]] = []
    while waiting.records:
        part = waiting.take(max_bytes=bound, max_records=10)
        assert part
        assert len(part) == 1 or sum(one.nbytes for one in part) <= bound
        taken.extend((one.project_id, one.nbytes) for one in part)
    for project_id in "abc":
        assert [one for one in taken if one[0] == project_id] == [one for one in appends if one[0] == project_id]
    assert waiting.nbytes == 0
