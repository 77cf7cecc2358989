"""A Ray cluster of two nodes on this machine, as a process: it ends with its standard input.

Ray reads its environment when it is imported, so the process that starts the nodes must have it from the beginning.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil

from heliograph.settings import LOOPBACK, RAY_AGENT, RAY_GCS, Settings
from operations import ray_cluster

# The second node's front end and the ports of its HAProxy follow the first one's.
SECOND_NODE = 20
_CPUS = 8


@dataclass(frozen=True)
class TwoNodes:
    """A running cluster, and the process of each node whose descendants are the node."""

    settings: Settings
    head: int
    worker: int

    @property
    def environment(self) -> dict[str, str]:
        """What the commands of an operator need in their environment."""
        return {**os.environ, **variables(self.settings)}

    def lanes(self, node: int) -> list[psutil.Process]:
        """The lanes that a node runs."""
        return [process for process in _family(node) if "LaneActor" in _title(process)]

    def ingestion_replicas(self, node: int) -> list[psutil.Process]:
        """The replicas of the ingestion door that a node runs."""
        return [process for process in _family(node) if "ServeReplica:ingest" in _title(process)]

    def processes(self) -> set[int]:
        """The lanes and ingestion replicas of both nodes."""
        nodes = (self.head, self.worker)
        return {one.pid for node in nodes for part in (self.lanes, self.ingestion_replicas) for one in part(node)}

    def kill_worker(self) -> None:
        """Kill -9 everything of the second node at once, as when its machine loses power."""
        _kill(_family(self.worker))

    def kill_head(self) -> None:
        """Kill -9 everything of the first node at once, the cluster's state with it."""
        control = psutil.Process(self.head).parent()
        servers = [one for one in control.children() if one.pid != self.worker] if control else []
        _kill([process for server in servers for process in _family(server.pid)])


def _kill(victims: list[psutil.Process]) -> None:
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(number)
    psutil.wait_procs(victims, timeout=10)


def variables(settings: Settings) -> dict[str, str]:
    """These settings as the environment of a process."""
    flat: dict[str, str] = {}
    for name, value in settings.model_dump(mode="json", exclude_unset=True).items():
        if isinstance(value, dict):
            flat |= {f"HELIOGRAPH_{name}__{key}".upper(): str(part) for key, part in value.items()}
        else:
            flat[f"HELIOGRAPH_{name}".upper()] = str(value)
    return flat


@contextmanager
def two_nodes(settings: Settings) -> Iterator[TwoNodes]:
    """Start both nodes; kill what is left of them afterwards."""
    ray_cluster.prepare_proxy(settings)
    environment = {**os.environ, **variables(settings), **ray_cluster.ray_environment(settings)}
    command = [sys.executable, "-m", "tests.cluster.nodes"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as cluster:  # type: ignore[call-overload]
        family: list[psutil.Process] = []
        try:
            yield TwoNodes(settings, **json.loads(cluster.stdout.readline()))
            family = psutil.Process(cluster.pid).children(recursive=True)
            cluster.communicate(timeout=60)
        finally:
            for left in [*family, *_family(cluster.pid)]:
                if left.is_running():
                    left.kill()
            shutil.rmtree(ray_cluster.ray_folder(settings))


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _second(port: int) -> dict[str, str]:
    return {
        "RAY_SERVE_WORKER_PROXY_HTTP_PORT": str(port),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(port + 1),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(port + 2),
    }


def main() -> None:
    """Start the nodes, print their processes, and stop them when nothing more can come from standard input."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415  # its import must find the environment

    settings = Settings()
    place: dict[str, Any] = {"node_ip_address": LOOPBACK, "num_cpus": _CPUS, "include_dashboard": False}
    folder = ray_cluster.sessions_folder(settings)
    # Ray's class writes the address of the cluster into this one without making it.
    (folder / "ray").mkdir(parents=True, exist_ok=True)
    ports = {"gcs_server_port": settings.port + RAY_GCS, "dashboard_agent_listen_port": settings.port + RAY_AGENT}
    cluster = Cluster(initialize_head=True, head_node_args={**place, **ports, "temp_dir": str(folder)})
    worker = cluster.add_node(**place, env_vars=_second(settings.port + SECOND_NODE))
    print(json.dumps({"head": _raylet(cluster.head_node), "worker": _raylet(worker)}), flush=True)
    sys.stdin.read()
    for node in cluster.list_all_nodes():  # type: ignore[no-untyped-call]
        node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)


def _raylet(node: object) -> int:
    return int(node.all_processes["raylet"][0].process.pid)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
