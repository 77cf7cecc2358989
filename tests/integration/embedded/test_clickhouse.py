"""The embedded ClickHouse is the real server: clients, passwords, restarts, kills, mutations, merges."""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import clickhouse_connect
import httpx
import psutil
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from heliograph.settings import CLICKHOUSE_HTTP, LOOPBACK, Settings
from storage.embedded.clickhouse import ClickHouse
from storage.embedded.supervisor import Supervisor
from tests.integration.engines import fresh_settings, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Supervisor]]:
    settings = fresh_settings(tmp_path_factory.mktemp("clickhouse") / "data")
    with running(settings, [ClickHouse(settings.clickhouse, settings.data, settings.port)]) as supervisor:
        yield settings, supervisor


def client_of(settings: Settings, **login: str) -> Client:
    return clickhouse_connect.get_client(**address(settings, **login), autogenerate_session_id=False)


def address(settings: Settings, **login: str) -> dict[str, Any]:
    known = {"username": settings.clickhouse.user, "password": settings.clickhouse.password}
    return {"host": LOOPBACK, "port": settings.port + CLICKHOUSE_HTTP, **known, **login}


def test_the_password_is_needed(server: tuple[Settings, Supervisor]) -> None:
    settings, _ = server
    assert client_of(settings).query("SELECT currentUser()").first_row == ("heliograph",)
    for login in ({"password": "wrong"}, {"password": ""}, {"username": "default", "password": ""}):
        with pytest.raises(ClickHouseError):
            client_of(settings, **login).query("SELECT 1")


def test_default_is_refused_however_it_is_named(server: tuple[Settings, Supervisor]) -> None:
    settings, _ = server
    url = f"http://{LOOPBACK}:{settings.port + CLICKHOUSE_HTTP}/"
    for suffix in ("", "?user=default", "?user=default&password="):
        answer = httpx.post(url + suffix, content="SELECT 1")
        assert answer.status_code >= 400


async def test_the_asynchronous_client_works(server: tuple[Settings, Supervisor]) -> None:
    settings, _ = server
    client = await clickhouse_connect.get_async_client(**address(settings))
    answers = await asyncio.gather(*(client.query(f"SELECT {number} AS number") for number in range(8)))
    assert [answer.result_rows for answer in answers] == [[(number,)] for number in range(8)]
    await client.close()


def test_readers_and_writers_at_once_see_whole_inserts(server: tuple[Settings, Supervisor]) -> None:
    settings, _ = server
    admin = client_of(settings)
    admin.command("CREATE TABLE default.busy (id UInt64, block UInt64) ENGINE = MergeTree ORDER BY id")

    def write(block: int) -> None:
        rows = pa.table({"id": pa.array(range(1_000), pa.uint64()), "block": pa.array([block] * 1_000, pa.uint64())})
        client_of(settings).insert_arrow("default.busy", rows)

    def read(_: int) -> bool:
        counts = client_of(settings).query("SELECT count() FROM default.busy GROUP BY block").result_rows
        return all(count == 1_000 for (count,) in counts)

    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(write, block) for block in range(10)]
        assert all(pool.map(read, range(20)))
        for done in writes:
            done.result()
    assert admin.query("SELECT count() FROM default.busy").first_row == (10_000,)


def test_mutations_merges_and_ttl(server: tuple[Settings, Supervisor]) -> None:
    settings, _ = server
    admin = client_of(settings)
    admin.command(
        "CREATE TABLE default.kept (id UInt64, version UInt64, at DateTime) ENGINE = ReplacingMergeTree(version)"
        " ORDER BY id TTL at + INTERVAL 1 DAY"
    )
    admin.command("INSERT INTO default.kept VALUES (1, 1, now()), (2, 1, now()), (3, 1, now() - INTERVAL 9 DAY)")
    admin.command("INSERT INTO default.kept VALUES (1, 2, now())")
    admin.command("DELETE FROM default.kept WHERE id = 2", settings={"lightweight_deletes_sync": 2})
    admin.command("OPTIMIZE TABLE default.kept FINAL")
    assert admin.query("SELECT id, version FROM default.kept").result_rows == [(1, 2)]


def test_rows_survive_kill_9_right_after_the_insert(server: tuple[Settings, Supervisor]) -> None:
    settings, supervisor = server
    admin = client_of(settings)
    admin.command("CREATE TABLE IF NOT EXISTS default.durable (id UInt64) ENGINE = MergeTree ORDER BY id")
    (status,) = supervisor.statuses
    killed = status.pid
    admin.insert_arrow("default.durable", pa.table({"id": pa.array(range(5_000), pa.uint64())}))
    os.kill(killed, signal.SIGKILL)
    psutil.wait_procs([process for process in psutil.process_iter() if process.pid == killed], timeout=5)
    assert count_when_back(settings) == 5_000
    assert supervisor.statuses[0].pid != killed
    assert supervisor.statuses[0].restarts == 1


def count_when_back(settings: Settings) -> int:
    for _ in range(300):
        try:
            ((count,),) = client_of(settings).query("SELECT count() FROM default.durable").result_rows
            return int(count)
        except (ClickHouseError, OSError):
            os.sched_yield()
            signal.sigtimedwait([], 0.1)
    raise TimeoutError


def test_nothing_listens_beyond_loopback(server: tuple[Settings, Supervisor]) -> None:
    _, supervisor = server
    process = psutil.Process(supervisor.statuses[0].pid)
    listening = [one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert set(listening) == {LOOPBACK}
