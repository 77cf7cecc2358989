"""`heliograph lanes`: which lanes there are and whom they serve, and changes of that while events arrive."""

import json
import subprocess
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from heliograph.settings import Settings
from operations import processes

app = typer.Typer(help="Lanes: the units of log, merge and recovery.", no_args_is_help=True)

_Project = Annotated[str, typer.Argument(help="The id or the name of the project.")]


@app.command("list")
def show() -> None:
    """Show every lane, whom it serves and how far it is."""
    _answer("list")


@app.command()
def add(
    count: Annotated[int, typer.Argument(min=1, max=64, help="How many.")],
    *,
    shared: Annotated[bool, typer.Option("--shared", help="Spread the quiet projects over them too.")] = False,
) -> None:
    """Add lanes, for projects that get lanes of their own."""
    _answer("add", added=count, shared=shared)


@app.command()
def dedicate(
    project: _Project,
    *,
    lanes: Annotated[str, typer.Option("--lanes", metavar="2,3", help="The lanes, from 0, with commas between.")],
) -> None:
    """Move a hot project to lanes of its own; its traces are spread over them."""
    try:
        numbers = [int(lane) for lane in lanes.split(",")]
    except ValueError:
        raise typer.BadParameter(lanes, param_hint="--lanes") from None
    _answer("dedicate", project=project, lanes=numbers)


@app.command()
def share(project: _Project) -> None:
    """Move a project back among the quiet ones."""
    _answer("share", project=project)


def _answer(verb: str, **arguments: object) -> None:
    # Half a second of imports: the other commands do without.
    from operations.ray_cluster import ray_environment  # noqa: PLC0415

    settings = Settings()
    request = {"verb": verb, "lanes": [], **arguments}
    command = processes.python("operations.lanes", json.dumps(request))
    console = Console(highlight=False)
    with console.status("Asking the lanes"):
        done = subprocess.run(
            processes.with_environment(command, ray_environment(settings)),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit((done.stderr.strip().splitlines() or ["the process that asked the lanes has died"])[-1])
    console.print(_table(json.loads(done.stdout)))


def _table(lanes: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("lane", "serves", "state", "epoch", "segment", "waiting"):
        table.add_column(title, overflow="fold")
    for one in lanes:
        status = one["status"]
        table.add_row(
            str(one["lane"]),
            one["projects"] or "nobody",
            _state(status),
            str(status.get("epoch", "")),
            str(status.get("cursor_segment", "")),
            str(status.get("waiting_segments", "")),
        )
    return table


def _state(status: dict[str, Any]) -> str:
    if not status:
        return "away"
    if status["is_moving"]:
        return "moving"
    return "ready" if status["is_ready"] else "replaying"
