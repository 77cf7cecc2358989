"""SQL of users on a real server with the rows of two projects."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pyarrow as pa
import pytest

from storage.clickhouse.sql.reader import _LIMITS, MAX_ROWS, Sql
from storage.clickhouse.streams import ArrowStreams
from tests.factories import NOON, observation, score, trace
from tests.integration.api.conftest import Api
from tests.sql_attacks import ATTACKS, HARMLESS, QUERIES

FOREIGN = "foreign-secret"
SLOW = """
    select count() from (select arrayJoin(range(30000)) as a) as x cross join (select arrayJoin(range(30000)) as b) as y
    cross join (select arrayJoin(range(30000)) as c) as z where cityHash64(a, b, c) = 1
"""


@pytest.fixture
def stored(api: Api) -> Api:
    made = api.stored
    made.insert(
        "observations",
        *(
            made.observation(
                f"t{n % 2}",
                f"o{n}",
                start_time=NOON + timedelta(minutes=n),
                total_cost=Decimal(n) / 2,
                provided_model_name="gpt-4o",
                tags=["even"] if n % 2 == 0 else ["odd"],
                input="question",
            )
            for n in range(4)
        ),
        observation("other-project", FOREIGN, FOREIGN, name=FOREIGN, input=FOREIGN, user_id=FOREIGN),
    )
    made.insert("observations", made.observation("t0", "o0", provided_model_name="gpt-4o", name="again"))
    made.insert("traces", *(made.trace(f"t{n}") for n in range(2)), trace("other-project", FOREIGN, name=FOREIGN))
    made.insert("scores", *(made.score(f"s{n}", trace_id=f"t{n}") for n in range(2)))
    made.insert("scores", score("other-project", FOREIGN, trace_id=FOREIGN))
    return api


async def asked(api: Api, query: str) -> httpx.Response:
    return await api.client.post("/data/sql", json={"query": query})


async def rows(api: Api, query: str) -> list[dict[str, Any]]:
    got = await asked(api, query)
    assert got.status_code == 200, got.text
    return list(pa.ipc.open_stream(got.content).read_all().to_pylist())


async def test_no_attack_returns_a_row_of_another_project(stored: Api) -> None:
    for query in ATTACKS:
        got = await asked(stored, query)
        assert got.status_code in {200, 400}, (query, got.text)
        assert FOREIGN.encode() not in got.content, query
        if got.status_code == 200:
            assert query in HARMLESS


async def test_ordinary_queries_run_over_the_own_rows(stored: Api) -> None:
    for query in QUERIES:
        got = await asked(stored, query)
        assert got.status_code == 200, (query, got.text)
        assert FOREIGN.encode() not in pa.ipc.open_stream(got.content).read_all().to_pandas().to_csv().encode()


async def test_rows_are_counted_once_and_as_they_were_sent_last(stored: Api) -> None:
    assert await rows(stored, "select count() as n, sum(cost) as cost from observations") == [{"n": 4, "cost": 3.0}]
    assert await rows(stored, "select name from observations where id = 'o0'") == [{"name": "again"}]
    counts = "select (select count() from traces) as t, (select count() from scores) as s"
    assert await rows(stored, counts) == [{"t": 2, "s": 2}]


async def test_texts_arrive_as_they_were_written(stored: Api) -> None:
    (found,) = await rows(stored, r"""select 'it''s' as a, 'b\\' as b, 'c\nd' as c, '\'' as d, '日本' as e""")
    assert found == {"a": "it's", "b": "b\\", "c": "c\nd", "d": "'", "e": "日本"}


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("select nothing from traces", 400, "nothing"),
        ("select id +", 400, "cannot be parsed"),
        ("select toDate('x', 'y', 'z', 'w')", 400, "toDate"),
        (f"select n from (select arrayJoin(range({MAX_ROWS + 2})) as n) where n > 0", 422, "narrow"),  # noqa: S608 - a number
        ("select length(groupArray(n)) from (select arrayJoin(range(200000000)) as n) as a", 422, "memory"),
        pytest.param(SLOW, 422, "time", marks=pytest.mark.slow),
    ],
)
async def test_what_cannot_run_is_told_without_the_query_behind_it(
    stored: Api, query: str, status: int, told: str
) -> None:
    got = await asked(stored, query)
    assert got.status_code == status, got.text[:500]
    assert told in got.text
    assert "project_id" not in got.text
    assert "FINAL" not in got.text


async def test_the_server_itself_refuses_writes_settings_and_files_on_this_path(api: Api) -> None:
    """Were a query ever let through, this is what still stands before it."""
    streams = ArrowStreams(api.stored.clickhouse)
    for query in (
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT * FROM url('http://127.0.0.1:9/x', CSV, 'a String')",
        "SELECT * FROM file('/etc/passwd', CSV, 'a String')",
        "DROP TABLE observations",
        "ALTER TABLE observations DELETE WHERE 1",
    ):
        with pytest.raises(Exception, match=r"readonly|READONLY|not enough privileges|ACCESS_DENIED|Cannot"):
            await streams.open(query, {})


async def test_an_unbound_table_is_filtered_by_the_server(stored: Api) -> None:
    streams = ArrowStreams(stored.stored.clickhouse)
    fence = Sql(streams, stored.project.id)._fence
    chunks = await streams.open("SELECT id FROM traces FINAL", {}, _LIMITS | {"additional_table_filters": fence})
    found = pa.ipc.open_stream(b"".join([chunk async for chunk in chunks])).read_all()
    assert sorted(found["id"].to_pylist()) == ["t0", "t1"]
