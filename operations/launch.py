"""What the commands do to a stack: check the ground, start the daemon, wait for it, stop it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable

import psutil

from heliograph import settings as names
from heliograph.settings import LOOPBACK, Settings, given_secrets
from operations import leftovers, processes
from operations.errors import DiskFull, PortInUse, StackFailed
from operations.status import StackStatus, State, is_locked, running
from storage.embedded.data_directory import open_directory

FREE_BYTES = 1 << 30
_START_SECONDS = 300
_STOP_SECONDS = 120
_POLL_SECONDS = 0.2


def opened_settings() -> Settings:
    """The settings over a data directory that is ours; the first start keeps its secrets there, given or generated.

    Raises:
        ForeignDataDirectory: the directory holds something else.
        CorruptDataDirectory: it is ours but cannot be used.
    """
    settings = Settings()
    open_directory(settings.data, given_secrets(settings))
    return Settings()


def wanted_ports(settings: Settings) -> dict[int, str]:
    """Every fixed port of this stack and what it is for."""
    ports = {0: "the API and the dashboard"}
    if not settings.clickhouse.url:
        ports[names.CLICKHOUSE_HTTP] = "ClickHouse"
    if not settings.postgres.url:
        ports[names.POSTGRES] = "PostgreSQL"
    if not settings.s3.url:
        ports |= dict.fromkeys(range(names.S3, names.SEAWEED_FILER_GRPC + 1), "SeaweedFS")
    if not settings.ray.address:
        ports |= {names.RAY_GCS: "Ray", names.RAY_AGENT: "Ray's agent"}
    ports |= {
        names.HAPROXY_METRICS: "HAProxy's metrics",
        names.HAPROXY_STATS: "HAProxy's statistics",
        names.SERVE_FALLBACK_PROXY: "Serve's fallback proxy",
    }
    grpc_port = int(settings.grpc_address.rpartition(":")[2])
    return {settings.port + offset: purpose for offset, purpose in ports.items()} | {grpc_port: "OTLP over gRPC"}


def taken_ports(settings: Settings) -> list[PortInUse]:
    """An error for every port of ours that somebody else listens at."""
    return [
        PortInUse(port, purpose, _owner(port)) for port, purpose in wanted_ports(settings).items() if not _is_free(port)
    ]


def free_bytes(settings: Settings) -> int:
    """Free space on the disk of the data directory."""
    return shutil.disk_usage(settings.data).free


def check(settings: Settings) -> None:
    """Raise what would stop the stack from starting, after ending what an earlier one left behind.

    Raises:
        DiskFull: less than a gigabyte is free.
        PortInUse: another program has one of the ports.
    """
    free = free_bytes(settings)
    if free < FREE_BYTES:
        raise DiskFull(free >> 20, str(settings.data), FREE_BYTES >> 20)
    leftovers.end(settings)
    for taken in taken_ports(settings):
        raise taken


def start(settings: Settings) -> None:
    """Start the daemon on its own, detached from this terminal."""
    for folder in ("run", "logs"):
        (settings.data / folder).mkdir(parents=True, exist_ok=True)
    (settings.data / "run" / "status.json").unlink(missing_ok=True)
    command = processes.python("operations.daemon")
    with (settings.data / "logs" / "daemon.log").open("ab") as log:
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def wait(settings: Settings, show: Callable[[StackStatus], None]) -> StackStatus:
    """Return when the stack is ready.

    Raises:
        StackFailed: it gave up, died, or takes too long.
    """
    folder, log = settings.data / "run", str(settings.data / "logs")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        status = StackStatus.read(folder)
        if status is not None:
            show(status)
            if status.state is State.READY and is_locked(folder):
                return status
            if not is_locked(folder):
                raise StackFailed(status.error or "its daemon has died.", log)
        time.sleep(_POLL_SECONDS)
    reason = f"it is not ready after {_START_SECONDS} s."
    raise StackFailed(reason, log)


def stop(settings: Settings) -> None:
    """Tell the daemon to stop everything and return when it has.

    Raises:
        StackFailed: it is still there.
    """
    folder = settings.data / "run"
    status = running(folder)
    if status is None:
        return
    psutil.Process(status.pid).terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    while is_locked(folder):
        if time.monotonic() > deadline:
            reason = f"it did not stop within {_STOP_SECONDS} s."
            raise StackFailed(reason, str(settings.data / "logs"))
        time.sleep(_POLL_SECONDS)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do it: a connection that still lingers from the last run is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _owner(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            address, pid = connection.laddr, connection.pid
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and pid:
                return f"{psutil.Process(pid).name()} (pid {pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        pass
    return "another program"
