"""`heliograph node`, `deploy` and `withdraw`: a Ray cluster of several machines."""

import os
import subprocess
from collections.abc import Mapping
from typing import Annotated

import typer

from heliograph.settings import Settings
from operations import processes

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def node(
    context: typer.Context,
    *,
    head: Annotated[
        str, typer.Option(help="Address of the head that this machine joins; without one it becomes the head.")
    ] = "",
) -> None:
    """Start this machine as a node of a cluster; further options go to `ray start`."""
    # The storage and Ray's HAProxy: the other commands do without.
    from operations import leftovers, ray_cluster  # noqa: PLC0415

    settings = Settings()
    environment = ray_cluster.ray_environment(settings)
    leftovers.end_proxies(ray_cluster.ray_folder(settings))
    command = processes.with_environment(ray_cluster.node_command(settings, context.args, head=head), environment)
    os.execv(command[0], command)  # noqa: S606  # this process is to become `ray start`


def deploy() -> None:
    """Put Heliograph, or a new release of it, on the cluster that this machine belongs to."""
    _run("deploy")
    typer.echo(f"Ready at {Settings().url}")


def withdraw() -> None:
    """Take Heliograph off the cluster: the doors close, the lanes write what they hold, the cluster stays."""
    _run("withdraw")


def _run(action: str) -> None:
    from operations.ray_cluster import ray_environment  # noqa: PLC0415  # as above

    environment: Mapping[str, str] = ray_environment(Settings())
    command = processes.with_environment(processes.python("operations.cluster", action), environment)
    if code := subprocess.run(command, check=False).returncode:
        raise typer.Exit(code)
