"""PostgreSQL and the object store: what they confirmed survives a kill, and nothing listens beyond loopback."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from heliograph.settings import LOOPBACK, POSTGRES, Settings
from storage.embedded.engine import Engine
from storage.embedded.postgres import Postgres
from storage.embedded.seaweed import SeaweedFS
from storage.embedded.supervisor import Supervisor
from storage.objects import connection
from tests.integration.engines import fresh_settings, running


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Supervisor]]:
    settings = fresh_settings(tmp_path_factory.mktemp("servers") / "data")
    engines: list[Engine] = [
        Postgres(settings.postgres, settings.data, settings.port),
        SeaweedFS(settings.s3, settings.data, settings.port),
    ]
    with running(settings, engines) as supervisor:
        yield settings, supervisor


def postgres(settings: Settings, password: str | None = None) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host=LOOPBACK,
        port=settings.port + POSTGRES,
        user=settings.postgres.user,
        password=settings.postgres.password if password is None else password,
        dbname=settings.postgres.database,
        autocommit=True,
        connect_timeout=2,
    )


def kill(supervisor: Supervisor, name: str) -> None:
    (status,) = (status for status in supervisor.statuses if status.name == name)
    os.kill(status.pid, signal.SIGKILL)


def when_back(call: Callable[[], object]) -> object:
    for _ in range(300):
        try:
            return call()
        except (psycopg.OperationalError, BotoCoreError, ClientError):
            time.sleep(0.1)
    raise TimeoutError


def test_postgres_needs_its_password(servers: tuple[Settings, Supervisor]) -> None:
    settings, _ = servers
    with pytest.raises(psycopg.OperationalError):
        postgres(settings, "wrong")
    with pytest.raises(psycopg.OperationalError):
        postgres(settings, "")


def test_committed_rows_survive_kill_9(servers: tuple[Settings, Supervisor]) -> None:
    settings, supervisor = servers
    with postgres(settings) as database:
        database.execute("CREATE TABLE IF NOT EXISTS kept (id int)")
        database.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    kill(supervisor, "postgres")

    def count() -> object:
        with postgres(settings) as database:
            return database.execute("SELECT count(*) FROM kept").fetchone()

    assert when_back(count) == (1000,)


def test_postgres_starts_though_nobody_has_collected_the_last_one(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path / "data")
    engine = Postgres(settings.postgres, settings.data, settings.port)
    with subprocess.Popen(engine.command(), stderr=subprocess.DEVNULL) as last:
        while not engine.is_ready():
            time.sleep(0.05)
        last.kill()
        while psutil.Process(last.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        with running(settings, [engine]), postgres(settings) as database:
            assert database.execute("SELECT 1").fetchone() == (1,)


def test_confirmed_objects_survive_kill_9(servers: tuple[Settings, Supervisor]) -> None:
    settings, supervisor = servers
    client = connection.connect(settings.s3, settings.s3_url, timeout_seconds=3)
    for number in range(60):
        client.put_object(Bucket=settings.s3.bucket, Key=f"kept/{number}", Body=os.urandom(20_000), IfNoneMatch="*")
    kill(supervisor, "seaweed")

    def sizes() -> list[int]:
        listed = client.list_objects_v2(Bucket=settings.s3.bucket, Prefix="kept/")["Contents"]
        return [len(client.get_object(Bucket=settings.s3.bucket, Key=one["Key"])["Body"].read()) for one in listed]

    assert when_back(sizes) == [20_000] * 60


def test_a_wrong_key_is_refused(servers: tuple[Settings, Supervisor]) -> None:
    settings, _ = servers
    stranger = settings.s3.model_copy(update={"secret_key": "wrong"})
    with pytest.raises(ClientError):
        connection.connect(stranger, settings.s3_url).list_objects_v2(Bucket=settings.s3.bucket)


def test_nothing_listens_beyond_loopback(servers: tuple[Settings, Supervisor]) -> None:
    _, supervisor = servers
    for status in supervisor.statuses:
        connections = psutil.Process(status.pid).net_connections("inet")
        addresses = {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}
        assert addresses <= {LOOPBACK}


def test_postgres_ends_though_a_client_is_connected(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path / "data")
    with running(settings, [Postgres(settings.postgres, settings.data, settings.port)]):
        connected = postgres(settings)
    with pytest.raises(psycopg.OperationalError, match="terminating connection due to administrator command"):
        connected.execute("SELECT 1")
