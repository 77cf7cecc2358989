import pytest

from heliograph.domain.errors import QueryTooExpensive, Unavailable
from heliograph.settings import Settings
from storage.clickhouse.connection import ClickHouse, connect, connect_blocking
from tests.integration.clickhouse.stored import Stored

NOBODY_LISTENS = "http://127.0.0.1:9"


async def test_values_reach_the_server_unchanged(stored: Stored) -> None:
    for value in ("it's", 'a "quote"', "back\\slash", "tab\tnewline\n", "{x:String}", "%s %(a)s", "日本", ""):
        found = await stored.clickhouse.read("SELECT {value:String} AS value", {"value": value})
        assert found["value"].to_pylist() == [value]
        many = await stored.clickhouse.read("SELECT {values:Array(String)} AS value", {"values": [value, "x"]})
        assert many["value"].to_pylist() == [[value, "x"]]


async def test_a_query_beyond_its_memory_says_what_to_do(stored: Stored) -> None:
    greedy = "SELECT groupArray(number) AS many FROM numbers(100000000) SETTINGS max_memory_usage = 1000000"
    with pytest.raises(QueryTooExpensive, match="narrow its time range"):
        await stored.clickhouse.read(greedy, {})


async def test_a_query_beyond_its_time_says_what_to_do(stored: Stored) -> None:
    slow = "SELECT sleepEachRow(0.1) AS slept FROM numbers(100) SETTINGS max_execution_time = 0.2, max_block_size = 1"
    with pytest.raises(QueryTooExpensive):
        await stored.clickhouse.read(slow, {})


async def test_an_absent_server_is_unavailable_and_found_once_it_is_there(columnar: Settings) -> None:
    absent = ClickHouse(columnar.clickhouse, NOBODY_LISTENS)
    with pytest.raises(Unavailable):
        await absent.ping()
    absent._url = columnar.clickhouse_url
    await absent.ping()
    await absent.close()


async def test_a_wrong_password_is_not_taken_for_an_absent_server(columnar: Settings) -> None:
    wrong = columnar.clickhouse.model_copy(update={"password": "wrong"})
    with pytest.raises(Exception, match="AUTHENTICATION_FAILED"):
        await connect(wrong, columnar.clickhouse_url)


async def test_the_server_that_cannot_be_reached_in_a_thread_is_unavailable(columnar: Settings) -> None:
    with pytest.raises(Unavailable):
        connect_blocking(columnar.clickhouse, NOBODY_LISTENS)
