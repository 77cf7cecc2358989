"""Rows below a limit disappear for every reader, with all their superseded versions; what is newer stays."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from heliograph.domain.deletions import Removed
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap, Share, row_version
from heliograph.settings import Settings
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.deletions import RowDeletions
from tests.factories import NOON
from tests.integration.clickhouse.stored import Stored

LIMIT = row_version(0, 100)
WHOLE = Share()


@pytest.fixture
def client(columnar: Settings) -> DeferredClient:
    return DeferredClient(lambda: connect_blocking(columnar.clickhouse, columnar.clickhouse_url))


@pytest.fixture
def deletions(client: DeferredClient) -> RowDeletions:
    return RowDeletions(client)


def left(client: DeferredClient, stored: Stored, table: str, *, final: bool = True) -> list[Any]:
    query = f"SELECT id FROM {table} {'FINAL' if final else ''} WHERE project_id = {{p:String}} ORDER BY id"  # noqa: S608
    return [row[0] for row in client.get().query(query, parameters={"p": stored.project_id}).result_rows]


async def test_a_trace_goes_from_all_tables_up_to_its_limit(
    stored: Stored, client: DeferredClient, deletions: RowDeletions
) -> None:
    for version in (1, 2):
        stored.insert("observations", stored.observation("t", "a", row_version=version))
    stored.insert("observations", stored.observation("t", "b", row_version=3), stored.observation("u", "c"))
    stored.insert("observations", stored.observation("t", "late", row_version=LIMIT + 1))
    stored.insert("traces", stored.trace("t", row_version=4), stored.trace("u"))
    stored.insert("scores", stored.score("s", trace_id="t", row_version=5), stored.score("s2", session_id="t"))

    removed = deletions.traces(stored.project_id, {"t": LIMIT, "nothing": LIMIT}, WHOLE)

    assert removed == {"t": Removed(observations=2, traces=1, scores=1)}
    assert left(client, stored, "observations", final=False) == ["c", "late"]
    assert left(client, stored, "traces", final=False) == ["u"]
    assert left(client, stored, "scores", final=False) == ["s2"]
    assert deletions.traces(stored.project_id, {"t": LIMIT}, WHOLE) == {}


async def test_each_subject_has_its_own_limit(stored: Stored, client: DeferredClient, deletions: RowDeletions) -> None:
    stored.insert("traces", *(stored.trace(name, row_version=50) for name in ("t", "u")))
    assert deletions.traces(stored.project_id, {"t": 50, "u": 51}, WHOLE) == {"u": Removed(traces=1)}
    assert left(client, stored, "traces") == ["t"]


async def test_rows_of_older_generations_go_and_those_of_newer_ones_stay(
    stored: Stored, client: DeferredClient, deletions: RowDeletions
) -> None:
    versions = {"older": row_version(0, 10**9), "same": row_version(1, 99), "newer": row_version(2, 0)}
    stored.insert("observations", *(stored.observation("t", name, row_version=at) for name, at in versions.items()))
    deletions.traces(stored.project_id, {"t": row_version(1, 100)}, WHOLE)
    assert left(client, stored, "observations") == ["newer"]


async def test_a_version_that_was_superseded_elsewhere_does_not_come_to_light(
    stored: Stored, client: DeferredClient, deletions: RowDeletions
) -> None:
    row = stored.observation("t", "a", row_version=1)
    stored.insert("observations", row)
    client.get().command("OPTIMIZE TABLE observations FINAL")
    stored.insert("observations", {**row, "row_version": 2, "total_cost": Decimal(3)})
    stored.insert("observations", {**row, "row_version": LIMIT, "total_cost": Decimal(5)})
    deletions.traces(stored.project_id, {"t": LIMIT}, WHOLE)
    client.get().command("OPTIMIZE TABLE observations FINAL")
    query = "SELECT total_cost FROM observations FINAL WHERE project_id = {p:String}"
    assert client.get().query(query, parameters={"p": stored.project_id}).result_rows == [(Decimal(5),)]


async def test_scores_go_by_their_ids_and_those_of_a_session_by_its_own(
    stored: Stored, client: DeferredClient, deletions: RowDeletions
) -> None:
    stored.insert(
        "scores",
        stored.score("s", trace_id="t", row_version=1),
        stored.score("of-session", session_id="chat", row_version=1),
        stored.score("of-its-trace", session_id="chat", trace_id="t", row_version=1),
        stored.score("of-run", dataset_run_id="chat", row_version=1),
    )
    assert deletions.scores(stored.project_id, {"s": LIMIT}, WHOLE) == {"s": Removed(scores=1)}
    assert deletions.session_scores(stored.project_id, {"chat": LIMIT}, WHOLE) == {"chat": Removed(scores=1)}
    assert left(client, stored, "scores") == ["of-its-trace", "of-run"]


async def test_a_lane_deletes_no_more_of_a_project_than_its_share(
    stored: Stored, client: DeferredClient, deletions: RowDeletions
) -> None:
    lanes = (LaneNumber(3), LaneNumber(7))
    lane_map = LaneMap(1, 8, {stored.project_id: lanes})
    names = [f"trace-{number}" for number in range(20)]
    stored.insert("traces", *(stored.trace(name, row_version=1) for name in names))
    stored.insert("observations", *(stored.observation(name, name, row_version=1) for name in names))
    stored.insert("scores", *(stored.score(name, trace_id=name, row_version=1) for name in names))
    others = [name for name in names if lane_map.lane_of(stored.project_id, name) == 3]
    share = lane_map.share_of(LaneNumber(7), stored.project_id)
    assert share is not None
    assert 0 < len(others) < 20

    removed = deletions.project(stored.project_id, LIMIT, share)

    assert removed == Removed(*[20 - len(others)] * 3)
    for table in ("observations", "traces", "scores"):
        assert left(client, stored, table) == sorted(others)
    assert lane_map.share_of(LaneNumber(5), ProjectId(stored.project_id)) is None


async def test_the_traces_of_sessions_and_users_are_told_by_their_rows_below_the_limit(
    stored: Stored, deletions: RowDeletions
) -> None:
    stored.insert(
        "traces",
        stored.trace("t", session_id="chat", user_id="u", row_version=1),
        stored.trace("later", session_id="chat", row_version=LIMIT),
        stored.trace("other", session_id="other", user_id="u", row_version=1, timestamp=NOON - timedelta(days=40)),
    )
    by_session = deletions.traces_of("session_id", stored.project_id, {"chat": LIMIT, "none": LIMIT}, share=WHOLE)
    assert by_session == [("t", "chat")]
    by_user = deletions.traces_of("user_id", stored.project_id, {"u": LIMIT}, share=WHOLE)
    assert sorted(by_user) == [("other", "u"), ("t", "u")]


async def test_subjects_that_fill_more_than_one_statement_all_go(
    stored: Stored, client: DeferredClient, deletions: RowDeletions
) -> None:
    names = [f"trace-{number}-{'x' * 30}" for number in range(1_500)]
    stored.insert("traces", *(stored.trace(name, row_version=1) for name in names))
    removed = deletions.traces(stored.project_id, dict.fromkeys(names, LIMIT), WHOLE)
    assert len(removed) == 1_500
    assert left(client, stored, "traces") == []
