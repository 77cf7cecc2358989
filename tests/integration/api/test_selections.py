"""Selections as Arrow streams, their counts and partitions."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pyarrow as pa
import pytest

from heliograph.domain.oversized import mark_of, marked
from heliograph.domain.selections import SelectedTable, Selection
from storage.clickhouse.selections import Selections
from storage.clickhouse.streams import END_OF_STREAM, ArrowStreams
from tests.factories import NOON, observation, score, trace
from tests.integration.api.conftest import Api


@pytest.fixture
def stored(api: Api) -> Api:
    """Six observations in two traces with a score each, and the same ids in another project."""
    made = api.stored.observation
    rows = [
        made(
            f"t{n % 2}",
            f"o{n}",
            start_time=NOON + timedelta(minutes=n),
            provided_model_name="gpt-4o" if n < 3 else "claude",
            total_cost=Decimal(n) / 4,
            input=f"question {n}",
            tags=["even"] if n % 2 == 0 else [],
            metadata=[("customer", '"acme"')] if n == 5 else [],
        )
        for n in range(6)
    ]
    api.stored.insert("observations", *rows, observation("other-project", "t0", "o0"))
    # Sent again: the later row takes the place of the earlier.
    api.stored.insert("observations", made("t0", "o0", provided_model_name="gpt-4o", name="again"))
    api.stored.insert("traces", *(api.stored.trace(f"t{n}", user_id=f"u{n}") for n in range(2)), trace("other", "t0"))
    api.stored.insert("scores", *(api.stored.score(f"s{n}", trace_id=f"t{n}") for n in range(2)), score("other", "s0"))
    return api


def condition(type_: str, column: str, operator: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"type": type_, "column": column, "operator": operator, "value": value, **more}


GPT = condition("string", "model", "=", "gpt-4o")
DEAR = condition("number", "totalCost", ">=", 1)
LAST = condition("stringObject", "metadata", "=", "acme", key="customer")


async def selected(api: Api, table: str = "observations", **asked: Any) -> pa.Table:
    got = await api.client.post(f"/data/{table}", json=asked)
    assert got.status_code == 200, got.text
    assert got.content.endswith(END_OF_STREAM)
    return pa.ipc.open_stream(got.content).read_all()


async def ids(api: Api, table: str = "observations", **asked: Any) -> str:
    found = (await selected(api, table, select=["id"], **asked))["id"].to_pylist()
    counted = (await api.client.post(f"/data/{table}/count", json=asked)).json()["count"]
    assert counted == len(found)
    return " ".join(found if "limit" in asked else sorted(found))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "o0 o1 o2 o3 o4 o5"),
        ({"where": GPT}, "o0 o1 o2"),
        ({"where": {"type": "not", "condition": GPT}}, "o3 o4 o5"),
        ({"where": {"type": "or", "conditions": [GPT, LAST]}}, "o0 o1 o2 o5"),
        ({"where": {"type": "and", "conditions": [{"type": "not", "condition": GPT}, DEAR]}}, "o4 o5"),
        ({"where": {"type": "not", "condition": {"type": "or", "conditions": [GPT, DEAR]}}}, "o3"),
        ({"where": condition("arrayOptions", "tags", "any of", ["even"])}, "o2 o4"),
        ({"since": (NOON + timedelta(minutes=4)).isoformat()}, "o4 o5"),
        ({"until": (NOON + timedelta(minutes=1)).isoformat()}, "o0"),
        ({"limit": 2}, "o5 o4"),
        ({"limit": 0}, ""),
        ({"limit": 9, "where": GPT}, "o2 o1 o0"),
    ],
)
async def test_rows_are_chosen_by_time_condition_and_number(stored: Api, asked: dict[str, Any], expected: str) -> None:
    assert await ids(stored, **asked) == expected


async def test_every_table_answers_rows_of_its_own_project_alone(stored: Api) -> None:
    assert await ids(stored, "traces") == "t0 t1"
    assert await ids(stored, "scores") == "s0 s1"
    of_user = condition("string", "userId", "=", "u1")
    assert await ids(stored, "traces", where=of_user) == "t1"
    assert await ids(stored, "scores", where=of_user) == "s1"
    assert await ids(stored, "scores", where={"type": "not", "condition": of_user}) == "s0"


async def test_a_row_that_was_sent_again_is_there_once_as_it_was_sent_last(stored: Api) -> None:
    found = await selected(stored, select=["name"], where=condition("string", "id", "=", "o0"))
    assert found.to_pylist() == [{"name": "again"}]


async def test_payloads_are_read_when_they_are_named(stored: Api) -> None:
    found = await selected(stored)
    assert not {"input", "output", "metadata", "project_id", "row_version", "merge_state"} & set(found.column_names)
    named = await selected(stored, select=["id", "input", "metadata", "model", "cost", "latency"], limit=1)
    assert named.to_pylist() == [
        {
            "id": "o5",
            "input": "question 5",
            "metadata": [("customer", '"acme"')],
            "model": "claude",
            "cost": 1.25,
            "latency": 1.0,
        }
    ]
    assert [str(named.schema.field(name).type) for name in ("cost", "metadata")] == ["double", "map<string, string>"]


async def test_a_payload_in_object_storage_is_a_preview_with_its_mark(api: Api) -> None:
    text = marked("long", b"long" * 100_000)
    api.stored.insert("observations", api.stored.observation("t", "o", input=text))
    (found,) = (await selected(api, select=["input"]))["input"].to_pylist()
    mark = mark_of(found)
    assert mark is not None
    assert mark.nbytes == 400_000


async def test_a_selection_without_rows_has_its_columns(api: Api) -> None:
    found = await selected(api, select=["id", "total_cost"])
    assert (found.num_rows, found.column_names) == (0, ["id", "total_cost"])


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"select": ["project_id"]}, "select"),
    ({"select": ["id; drop table traces"]}, "select"),
    ({"select": ["id", "id"]}, "select"),
    ({"select": []}, "select"),
    ({"where": condition("string", "secret", "=", "")}, "filter"),
    ({"where": {"type": "or", "conditions": []}}, "where"),
    ({"where": {"type": "or", "conditions": [GPT] * 60 + [{"type": "and", "conditions": [GPT] * 60}]}}, "where"),
    ({"since": "2026-01-01T00:00:00"}, "since"),
    ({"limit": -1}, "limit"),
    ({"wehre": GPT}, "wehre"),
]


async def test_what_cannot_be_asked_is_named(api: Api) -> None:
    for asked, field in REFUSED:
        for route in ("/data/observations", "/data/observations/partitions"):
            if field == "select" and asked["select"] and route.endswith("partitions"):
                continue
            got = await api.client.post(route, json=asked)
            assert got.status_code == 400, (route, asked)
            assert field in json.dumps(got.json())
    assert (await api.client.post("/data/api_keys", json={})).status_code == 400


async def test_a_key_is_needed(stored: Api) -> None:
    for route in ("/data/observations", "/data/observations/count", "/data/observations/partitions", "/data/sql"):
        got = await stored.client.post(route, json={"query": "select 1"}, auth=httpx.BasicAuth("pk-lf-1", "wrong"))
        assert got.status_code == 401


async def test_partitions_hold_every_row_once(api: Api) -> None:
    rows = [api.stored.observation("t", f"o{n}", start_time=NOON + timedelta(seconds=n)) for n in range(100)]
    api.stored.insert("observations", *rows)
    clickhouse = api.stored.clickhouse
    reader = Selections(clickhouse, ArrowStreams(clickhouse), api.project.id, min_partition_rows=10)
    asked = Selection(since=NOON + timedelta(seconds=20))
    found = await reader.partitions(SelectedTable.OBSERVATIONS, asked, 4)
    assert (found.rows, len(found.periods)) == (80, 4)
    parts = [
        (await selected(api, select=["id"], since=since and since.isoformat(), until=until and until.isoformat()))[
            "id"
        ].to_pylist()
        for since, until in found.periods
    ]
    assert sorted(name for part in parts for name in part) == sorted(f"o{n}" for n in range(20, 100))
    assert all(10 <= len(part) <= 30 for part in parts)


async def test_what_is_small_or_limited_is_one_partition(stored: Api) -> None:
    for asked, rows in (({}, 6), ({"limit": 4}, 4)):
        got = (await stored.client.post("/data/observations/partitions", json={**asked, "partitions": 4})).json()
        assert got == {"data": [{"since": None, "until": None}], "meta": {"rows": rows}}


async def test_a_reader_that_goes_away_ends_its_query_and_frees_its_place(api: Api) -> None:
    streams = ArrowStreams(api.stored.clickhouse, max_streams=1)
    endless = "SELECT number AS endless FROM numbers(1000000000000)"
    for _ in range(3):
        chunks = await streams.open(endless, {})
        assert await anext(chunks)
        await chunks.aclose()  # type: ignore[attr-defined]
    running = "SELECT count() AS found FROM system.processes WHERE query LIKE 'SELECT number AS endless%'"
    for _ in range(200):
        found = (await api.stored.clickhouse.read(running, {}))["found"][0].as_py()
        if not found:
            break
    assert found == 0
