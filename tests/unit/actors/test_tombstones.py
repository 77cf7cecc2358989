"""What lies below a tombstone is gone, whatever the segments, flushes, evictions, kills and replays around it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.deletion_ledger import DeletionLedger
from actors.generations import Generations
from actors.merge import Merge, Segment
from actors.merge_stage import Burial, MergeStage, SegmentLog
from actors.removal import Removal
from actors.seen_filter import SeenFilter
from actors.subject_cache import SubjectCache
from actors.tombstones import Tombstones
from heliograph.domain.deletions import Removed, Tombstone
from heliograph.domain.errors import Unavailable
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LogPosition, RaisedGeneration, Share, row_version
from heliograph.settings import LaneSettings
from tests.stored_rows import NoPayloads, StoredRowDeletions, StoredRows
from tests.unit.actors.batches import PROJECT, RECEIVED_AT, Event, Grave, Score, Span, TracePart, batch_of, compose

TABLES = ("observations", "traces", "scores")
LANE = LaneNumber(0)


class AtOnce(Executor):
    """Runs in the calling thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            future.set_exception(error)
        return future


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Stores:
    """What outlives an owner. Its `fuse` counts down with every step, and at 0 the owner is killed."""

    rows: StoredRows = field(default_factory=StoredRows)
    recorded: list[Tombstone] = field(default_factory=list)
    reports: dict[str, Removed] = field(default_factory=dict)
    is_postgres_away: bool = False
    fuse: int = -1
    files: int = 0

    def step(self) -> None:
        self.fuse -= 1
        if self.fuse == 0:
            raise Killed

    def insert(self, table: str, rows: pa.Table) -> None:
        self.step()
        self.rows.insert(table, rows)

    async def record(self, tombstones: Iterable[Tombstone]) -> None:
        self.step()
        if self.is_postgres_away:
            raise Unavailable("PostgreSQL", 1.0)
        self.recorded.extend(tombstones)

    async def forget(self, tombstones: Iterable[Tombstone]) -> dict[str, int]:
        self.step()
        if self.is_postgres_away:
            raise Unavailable("PostgreSQL", 1.0)
        return {one.deletion_id: self.files for one in tombstones}

    async def report(self, deletion_id: str, lane: LaneNumber, removed: Removed) -> None:
        del lane
        self.step()
        if self.is_postgres_away:
            raise Unavailable("PostgreSQL", 1.0)
        self.reports.setdefault(deletion_id, removed)

    def remove(self, table: str, is_meant: Callable[[dict[str, Any]], bool]) -> int:
        self.step()
        return self.rows.remove(table, is_meant)

    def logical(self, table: str, *, without: Sequence[str] = ()) -> list[dict[str, Any]]:
        return self.rows.logical(table, without=without)

    def contents(self, *without: str) -> dict[str, list[dict[str, Any]]]:
        return {name: self.rows.logical(name, without=without) for name in TABLES}


class Owner:
    """One owner of the lane: a merge stage on these stores."""

    def __init__(self, stores: Stores, *, max_contributions: int = 1_000, generation: int = 0) -> None:
        self.known = Tombstones(LANE)
        self.known.learn(stores.recorded)
        cache = SubjectCache(max_contributions, SeenFilter(1 << 16))
        generations = Generations([RaisedGeneration(ProjectId(PROJECT), 0, generation)])
        self.merge = Merge(stores.rows, cache, generations, compose=compose)
        self.merge.learn_known_subjects()
        removal = Removal(
            StoredRowDeletions(stores), NoPayloads(), limit_of=self.merge.limit_of, share_of=lambda _: Share()
        )
        self.ledger = DeletionLedger(LANE, stores, stores)
        self.stage = MergeStage(
            self.merge,
            stores,
            LaneSettings(),
            executor=AtOnce(),
            log=SegmentLog(_unread, lambda *_: None, lambda _: None),
            burial=Burial(self.known, removal, self.ledger),
        )

    def flush(self, *segments: Segment) -> None:
        asyncio.run(self._flush(segments))

    async def _flush(self, segments: Sequence[Segment]) -> None:
        for segment in segments:
            self.stage.offer(segment.position, segment.batch)
        await self.stage._flush(self.stage._head())


def _unread(position: LogPosition) -> MappedBatch:
    raise AssertionError(position)


def segment(number: int, *events: Event) -> Segment:
    return Segment(LogPosition(1, number), batch_of(*events))


def ids(stores: Stores, table: str) -> list[str]:
    return [row["id"] for row in stores.logical(table)]


def test_a_trace_deleted_within_a_flush_starts_anew_behind_its_tombstone() -> None:
    stores = Stores()
    owner = Owner(stores)
    owner.flush(segment(1, Span("a", start_time=RECEIVED_AT - 7), Score("s")), segment(2, Span("b", trace_id="other")))
    owner.flush(segment(3, Span("c"), Grave("trace", "trace-1"), Span("a", total_cost=5), Score("s2")))
    assert ids(stores, "observations") == ["a", "b"]
    assert ids(stores, "scores") == ["s2"]
    ours, _ = sorted(stores.logical("traces"), key=lambda row: row["id"], reverse=True)
    assert (ours["observation_count"], ours["score_count"]) == (1, 1)
    assert ours["placed_at"] == stores.logical("observations")[0]["placed_at"]
    assert int(ours["placed_at"].timestamp() * 1_000_000) == RECEIVED_AT
    assert stores.reports == {"deletion-1": Removed(observations=1, traces=1, scores=1)}


def test_a_deleted_trace_that_nothing_follows_leaves_no_row() -> None:
    stores = Stores()
    owner = Owner(stores)
    owner.flush(segment(1, Span("a"), TracePart("input", "x", RECEIVED_AT, "e"), Grave("trace", "trace-1")))
    assert stores.contents() == {name: [] for name in TABLES}
    owner.flush(segment(2, Span("b")))
    assert ids(stores, "observations") == ["b"]
    assert [row["input"] for row in stores.logical("traces")] == [""]


@pytest.mark.parametrize("max_contributions", [0, 1_000])
def test_a_score_is_deleted_from_its_row_and_from_the_row_of_its_trace(max_contributions: int) -> None:
    stores = Stores()
    owner = Owner(stores, max_contributions=max_contributions)
    owner.flush(segment(1, Span("a"), Score("s", value=1), Score("t", value=0)))
    owner.flush(segment(2, Grave("score", "s")))
    (trace,) = stores.logical("traces")
    assert (trace["score_count"], trace["score_values"]) == (1, [("quality", 0.0)])
    assert trace["row_version"] == row_version(0, 2)
    owner.flush(segment(3, Score("s", value=0.5)))
    assert [row["score_count"] for row in stores.logical("traces")] == [2]


def test_a_session_takes_its_traces_and_its_own_scores_and_leaves_what_follows() -> None:
    stores = Stores()
    owner = Owner(stores)
    owner.flush(segment(1, Score("of-session", trace_id="", session_id="chat")))
    owner.flush(
        segment(
            2,
            Span("a", session_id="chat"),
            Span("b", trace_id="trace-2"),
            Score("of-session-too", trace_id="", session_id="chat"),
            Span("c", trace_id="trace-2", session_id="chat", parent_observation_id="b"),
            Span("d", trace_id="trace-3"),
            Grave("session", "chat"),
            Span("e", trace_id="trace-2"),
        )
    )
    assert ids(stores, "observations") == ["d", "e"]
    assert ids(stores, "scores") == []
    assert [(row["id"], row["observation_count"]) for row in stores.logical("traces")] == [
        ("trace-2", 1),
        ("trace-3", 1),
    ]
    assert {one.subject for one in stores.recorded} == {"chat", "trace-1", "trace-2"}
    assert stores.reports["deletion-1"] == Removed(observations=3, traces=2, scores=1)


@pytest.mark.parametrize("first", [Grave("project", "", "deletion-1"), Grave("trace", "trace-1", "deletion-1")])
def test_a_session_does_not_take_what_came_to_its_trace_behind_another_deletion(first: Grave) -> None:
    stores = Stores()
    owner = Owner(stores)
    owner.flush(segment(1, Span("a", session_id="chat", start_time=RECEIVED_AT - 7)))
    owner.flush(segment(2, first, Score("s"), Grave("session", "chat", "deletion-2")))
    assert ids(stores, "observations") == []
    assert ids(stores, "scores") == ["s"]
    assert stores.reports["deletion-2"] == Removed()


def test_a_user_takes_the_traces_that_are_theirs() -> None:
    stores = Stores()
    owner = Owner(stores)
    owner.flush(segment(1, Span("a", user_id="u"), Span("b", trace_id="trace-2", user_id="v"), Grave("user", "u")))
    assert ids(stores, "traces") == ["trace-2"]


def test_a_project_goes_whole_and_its_neighbour_stays() -> None:
    stores = Stores()
    owner = Owner(stores)
    owner.flush(segment(1, Span("a"), Span("x", project_id="project-2"), Score("s", trace_id="", session_id="chat")))
    owner.flush(segment(2, Span("b"), Grave("project", ""), Span("c")))
    assert ids(stores, "observations") == ["c", "x"]
    assert ids(stores, "scores") == []


def test_rows_of_an_older_generation_go_as_well() -> None:
    stores = Stores()
    Owner(stores).flush(segment(900, Span("a")))
    Owner(stores, generation=1).flush(segment(2, Grave("trace", "trace-1"), Span("b")))
    assert ids(stores, "observations") == ["b"]


def test_a_replay_from_the_start_never_stores_again_what_was_deleted() -> None:
    log = [segment(1, Span("a"), Score("s")), segment(2, Grave("trace", "trace-1")), segment(3, Span("b"))]
    stores = Stores()
    Owner(stores).flush(*log)
    before = stores.contents()
    replay = Owner(stores)
    for one in log:
        replay.flush(one)
        assert stores.contents() == before


def test_while_postgres_is_away_the_lane_deletes_and_records_later() -> None:
    stores = Stores(is_postgres_away=True)
    owner = Owner(stores)
    owner.flush(segment(1, Span("a"), Grave("trace", "trace-1")))
    assert stores.contents() == {name: [] for name in TABLES}
    assert stores.recorded == []
    stores.is_postgres_away = False
    stores.files = 2
    asyncio.run(owner.ledger.settle())
    assert [one.subject for one in stores.recorded] == ["trace-1"]
    assert stores.reports["deletion-1"].media == 2


traces = st.sampled_from(["trace-1", "trace-2"])
spans = st.builds(
    Span,
    id=st.sampled_from(["a", "b", "c"]),
    trace_id=traces,
    start_time=st.integers(RECEIVED_AT - 3, RECEIVED_AT),
    session_id=st.sampled_from(["", "chat", "talk"]),
    user_id=st.sampled_from(["", "u"]),
    total_cost=st.integers(0, 9),
)
scores = st.one_of(
    st.builds(Score, id=st.sampled_from(["s", "t"]), value=st.floats(0, 1)),
    # Each session has ids of its own: what a score that moves to another session leaves behind is not decided yet.
    st.sampled_from(["chat", "talk"]).map(lambda name: Score(f"of-{name}", trace_id="", session_id=name)),
)
parts = st.builds(
    TracePart,
    field=st.just("input"),
    value=st.text("abc", max_size=3),
    stamped_at=st.integers(RECEIVED_AT, RECEIVED_AT + 3),
    stamp_id=st.sampled_from(["a", "b"]),
    trace_id=traces,
)
graves = st.one_of(
    st.builds(Grave, st.just("trace"), traces),
    st.builds(Grave, st.just("score"), st.sampled_from(["s", "t"])),
    st.builds(Grave, st.just("session"), st.sampled_from(["chat", "talk"])),
    st.builds(Grave, st.just("user"), st.just("u")),
    st.builds(Grave, st.just("project")),
)


@given(
    events=st.lists(st.one_of(spans, spans, scores, parts, graves), min_size=1, max_size=14),
    cuts=st.sets(st.integers(1, 13)),
    flushes=st.sets(st.integers(0, 13)),
    ends=st.dictionaries(st.integers(0, 13), st.sampled_from(["restart", "replay", "kill"]), max_size=4),
    fuse=st.integers(1, 25),
    is_forgetful=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_rows_are_those_of_the_log_with_the_deletions_applied(
    events: list[Event],
    cuts: set[int],
    flushes: set[int],
    *,
    ends: dict[int, str],
    fuse: int,
    is_forgetful: bool,
) -> None:
    stores = Stores()
    run(stores, _segments(events, cuts), flushes, ends=ends, fuse=fuse, max_contributions=0 if is_forgetful else 1_000)
    assert stores.contents("row_version") == expected(events).contents("row_version")


def run(
    stores: Stores,
    log: list[Segment],
    flushes: set[int],
    *,
    ends: dict[int, str],
    fuse: int,
    max_contributions: int,
) -> None:
    """Merge the log in these flushes; owners end where they are told to, and their successors go on."""
    ends = dict(ends)
    owner = Owner(stores, max_contributions=max_contributions)
    checkpoint = index = 0
    while index < len(log):
        index += 1
        if index - 1 not in flushes and index < len(log):
            continue
        end = ends.pop(index - 1, None)
        stores.fuse = fuse if end == "kill" else -1
        try:
            owner.flush(*log[checkpoint:index])
            checkpoint = index
        except Killed:
            index = checkpoint
        stores.fuse = -1
        if end is not None:
            owner = Owner(stores, max_contributions=max_contributions)
        if end == "replay":
            index = checkpoint = 0


def expected(events: list[Event]) -> Stores:
    """What is left when every deletion is applied to the events before it, and the rest is merged at once."""
    living: list[Event | None] = []
    for event in events:
        if isinstance(event, Grave):
            gone = _traces_of(event, living)
            living = [None if one is None or _is_gone(one, event, gone) else one for one in living]
        living.append(event)
    stores = Stores()
    left = [one for one in living if one is not None and not isinstance(one, Grave)]
    if left:
        Owner(stores).flush(segment(1, *left))
    return stores


def _traces_of(grave: Grave, living: Iterable[Event | None]) -> set[str]:
    column = {"session": "session_id", "user": "user_id"}.get(grave.subject_type)
    left = [one for one in living if one is not None and not isinstance(one, Grave)]
    if column is None or not left:
        return {grave.subject} if grave.subject_type == "trace" else set()
    stores = Stores()
    Owner(stores).flush(segment(1, *left))
    return {row["id"] for row in stores.logical("traces") if row[column] == grave.subject}


def _is_gone(event: Event, grave: Grave, traces_gone: set[str]) -> bool:
    if isinstance(event, Grave):
        return False
    if grave.subject_type == "project":
        return True
    if isinstance(event, Score):
        of_session = not event.trace_id and grave.subject_type == "session" and event.session_id == grave.subject
        by_id = grave.subject_type == "score" and event.id == grave.subject
        return of_session or by_id or event.trace_id in traces_gone
    return event.trace_id in traces_gone


def _segments(events: list[Event], cuts: set[int]) -> list[Segment]:
    named = [replace(one, id=f"deletion-{at}") if isinstance(one, Grave) else one for at, one in enumerate(events)]
    bounds = [0, *sorted(cut for cut in cuts if cut < len(named)), len(named)]
    return [segment(number, *named[a:b]) for number, (a, b) in enumerate(pairwise(bounds), 1)]
