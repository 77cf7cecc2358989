"""The embedded object store keeps what it confirmed, also when it is killed amid writes, and one writer wins a key."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from heliograph.domain.errors import Unavailable
from heliograph.settings import Settings
from storage.embedded.seaweed import SeaweedFS
from storage.embedded.supervisor import Supervisor
from storage.objects import connection
from tests.integration.engines import fresh_settings, running

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WRITERS = 4
KILLED_AFTER = 50


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Supervisor]]:
    settings = fresh_settings(tmp_path_factory.mktemp("store") / "data")
    with running(settings, [SeaweedFS(settings.s3, settings.data, settings.port)]) as supervisor:
        yield settings, supervisor


def client_of(settings: Settings, timeout_seconds: float = 3) -> "S3Client":
    return connection.connect(settings.s3, settings.s3_url, timeout_seconds=timeout_seconds)


def put(client: "S3Client", settings: Settings, key: str, body: bytes) -> int:
    """The HTTP status of a PUT that wants to be the first of its key."""
    try:
        client.put_object(Bucket=settings.s3.bucket, Key=key, Body=body, IfNoneMatch="*")
    except ClientError as error:
        return connection.status_of(error)
    return 200


def get(client: "S3Client", settings: Settings, key: str) -> bytes:
    return client.get_object(Bucket=settings.s3.bucket, Key=key)["Body"].read()


def test_one_of_many_writers_wins_a_key(store: tuple[Settings, Supervisor]) -> None:
    settings, _ = store
    # A slow answer is one of the answers, whatever else the machine does.
    client = client_of(settings, timeout_seconds=60)
    bodies = [str(number).encode() for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda body: put(client, settings, "contended", body), bodies))
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 412}
    assert get(client, settings, "contended") == bodies[statuses.index(200)]
    assert put(client, settings, "contended", b"late") == 412


@pytest.mark.slow
def test_what_was_confirmed_amid_a_kill_is_readable(store: tuple[Settings, Supervisor]) -> None:
    settings, supervisor = store
    confirmed: dict[str, bytes] = {}

    def write(writer: int) -> None:
        client = client_of(settings)
        for number in count():
            key, body = f"amid/{writer}/{number}", os.urandom(30_000)
            try:
                client.put_object(Bucket=settings.s3.bucket, Key=key, Body=body)
            except (BotoCoreError, ClientError):
                return
            confirmed[key] = body

    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, writer) for writer in range(WRITERS)]
        while len(confirmed) < KILLED_AFTER:
            assert not any(writer.done() for writer in writers)
        os.kill(supervisor.statuses[0].pid, signal.SIGKILL)
        for writer in writers:
            writer.result(timeout=30)
    client = client_of(settings)
    wait_until_it_serves(client, settings)
    assert {key: get(client, settings, key) for key in confirmed} == confirmed


def wait_until_it_serves(client: "S3Client", settings: Settings) -> None:
    for _ in range(600):
        try:
            return connection.ping(client, settings.s3.bucket)
        except Unavailable:
            signal.sigtimedwait([], 0.1)
    raise TimeoutError
