"""What a daemon or a node that was killed has left behind."""

from collections.abc import Iterator
from pathlib import Path

import psutil

from heliograph.settings import Settings
from operations import processes
from operations.ray_head import RayHead
from storage.embedded.supervisor import end_left_behind


def end(settings: Settings) -> None:
    """End what the daemon would have ended: the cluster, then every engine that has a record."""
    RayHead(settings, settings.data / "logs" / "ray.log").clean_up()
    run = settings.data / "run"
    end_left_behind(run, [record.stem for record in run.glob("*.pid")])


def end_proxies(folder: Path) -> None:
    """End the HAProxies of this folder: one that outlives its node would share the port with the next one."""
    processes.kill(_proxies(folder))


def _proxies(folder: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter(["name", "cmdline"]):
        arguments = process.info["cmdline"] or []
        if process.info["name"] == "haproxy" and any(word.startswith(f"{folder}/") for word in arguments):
            yield process
