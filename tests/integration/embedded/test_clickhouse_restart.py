"""The embedded ClickHouse stops within seconds whatever runs in it, and a restart finds everything."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from heliograph.settings import CLICKHOUSE_HTTP, LOOPBACK, Settings
from storage.embedded.clickhouse import ClickHouse
from tests.integration.engines import fresh_settings, running

ENDLESS = (
    "SELECT sleepEachRow(1) FROM system.numbers FORMAT Null"
    " SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0"
)
SCHEMA = """
    CREATE TABLE heliograph.notes
    (id UInt64, version UInt64, text String, INDEX words text TYPE text(tokenizer = splitByNonAlpha))
    ENGINE = ReplacingMergeTree(version) ORDER BY id
"""


def engine(settings: Settings) -> ClickHouse:
    return ClickHouse(settings.clickhouse, settings.data, settings.port)


def client_of(settings: Settings) -> Client:
    return clickhouse_connect.get_client(
        host=LOOPBACK,
        port=settings.port + CLICKHOUSE_HTTP,
        username=settings.clickhouse.user,
        password=settings.clickhouse.password,
        autogenerate_session_id=False,
    )


def found(settings: Settings, word: str) -> list[int]:
    rows = client_of(settings).query(
        "SELECT id FROM heliograph.notes FINAL WHERE hasAnyTokens(text, {word:String}) ORDER BY id",
        parameters={"word": word},
        settings={"force_data_skipping_indices": "words"},
    )
    return [number for (number,) in rows.result_rows]


def test_text_search_over_replaced_rows_is_the_same_after_a_restart(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path / "data")
    with running(settings, [engine(settings)]):
        client = client_of(settings)
        client.command("CREATE DATABASE heliograph ENGINE = Atomic")
        client.command(SCHEMA)
        client.command("INSERT INTO heliograph.notes VALUES (1, 1, 'a red fox'), (2, 1, 'the red hen')")
        client.command("INSERT INTO heliograph.notes VALUES (1, 2, 'a grey fox')")
        assert found(settings, "red") == [2]
        assert found(settings, "fox") == [1]
    with running(settings, [engine(settings)]):
        assert found(settings, "red") == [2]
        assert client_of(settings).query("SELECT engine FROM system.databases WHERE name = 'heliograph'").first_row == (
            "Atomic",
        )


@pytest.mark.slow
def test_a_query_that_never_ends_does_not_hold_the_stop(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path / "data")
    with ThreadPoolExecutor(1) as pool:
        with running(settings, [engine(settings)]):
            client = client_of(settings)
            endless = pool.submit(client.command, ENDLESS)
            running_queries = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%'"
            while client_of(settings).query(running_queries).first_row == (0,):
                assert not endless.done()
            stopped_at = time.monotonic()
        assert time.monotonic() - stopped_at < 15
        assert endless.exception(timeout=15) is not None
