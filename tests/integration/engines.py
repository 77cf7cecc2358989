"""The real engines for a run of the tests, on ports and in a folder of their own."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heliograph.settings import LOOPBACK, Settings
from storage.embedded.clickhouse import ClickHouse
from storage.embedded.data_directory import open_directory
from storage.embedded.engine import Engine
from storage.embedded.postgres import Postgres
from storage.embedded.seaweed import SeaweedFS
from storage.embedded.supervisor import Supervisor

_BLOCK = 100
_FIRST_PORT, _LAST_PORT = 21_000, 29_000


# The last port of each block that this process took, so that no other run of the tests takes the same one.
_taken: list[socket.socket] = []


def free_block() -> int:
    """The first of a hundred ports of which none that an engine uses is taken; no other process takes it meanwhile."""
    for first in range(_FIRST_PORT, _LAST_PORT, _BLOCK):
        if _take(first + _BLOCK - 1) and all(_is_free(first + offset) for offset in range(17)):
            return first
    raise OSError("no free block of ports")


def fresh_settings(folder: Path) -> Settings:
    """Settings over a new data directory, with secrets of its own."""
    open_directory(folder)
    return Settings(data_dir=folder, port=free_block())


def embedded(settings: Settings) -> list[Engine]:
    """The three engines of these settings."""
    return [
        ClickHouse(settings.clickhouse, settings.data, settings.port),
        Postgres(settings.postgres, settings.data, settings.port),
        SeaweedFS(settings.s3, settings.data, settings.port),
    ]


@contextmanager
def running(settings: Settings, engines: list[Engine], *, stuck_seconds: float = 60.0) -> Iterator[Supervisor]:
    """Run a supervisor on a loop of its own, since tests have loops of theirs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def supervisor() -> Supervisor:
        return Supervisor(engines, settings.data, stuck_seconds=stuck_seconds)

    made = asyncio.run_coroutine_threadsafe(supervisor(), loop).result()
    try:
        asyncio.run_coroutine_threadsafe(made.start(), loop).result(120)
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(made.stop(), loop).result(120)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _take(port: int) -> bool:
    guard = socket.socket()
    try:
        guard.bind((LOOPBACK, port))
    except OSError:
        guard.close()
        return False
    _taken.append(guard)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
