"""`heliograph up`, `down` and `status`."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import psutil
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from heliograph.settings import CONNECTION_FILE, Settings
from operations import launch
from operations.commands import demo
from operations.connection import Connection
from operations.errors import StackNotRunning
from operations.fingerprint import fingerprint
from operations.status import StackStatus, State, running

if TYPE_CHECKING:
    from heliograph.domain.lane_backlog import LaneBacklog

_COLOURS = {
    State.READY: "green",
    State.FAILED: "bold red",
    State.STARTING: "yellow",
    State.STOPPING: "yellow",
}
_DEMO_RECORD = "demo-loaded"


def up(
    *,
    with_demo: Annotated[
        bool, typer.Option("--demo", help="Load the demo once it runs, if it is not there yet.")
    ] = False,
) -> None:
    """Start everything; when it runs already, change nothing and print the same."""
    console = Console(highlight=False)
    settings = launch.opened_settings()
    folder = settings.data / "run"
    current = running(folder)
    if current is not None and current.fingerprint != fingerprint(settings):
        console.print("Settings or code have changed: restarting.")
        _stop(settings, console)
        current = None
    if current is None:
        launch.check(settings)
        launch.start(settings)
    started = time.monotonic()
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        final = launch.wait(settings, lambda status: live.update(_parts_table(status)))
    if current is None or current.state is not State.READY:
        console.print(f"Ready after {time.monotonic() - started:.0f} s.")
    if with_demo:
        _load_demo_once(settings, console)
    _print_access(console, settings, final.url)


def down() -> None:
    """Stop everything; the data stays."""
    console = Console(highlight=False)
    settings = Settings()
    if running(settings.data / "run") is None:
        console.print("Nothing runs.")
        return
    _stop(settings, console)


def status() -> None:
    """Show every part, its processes and their memory."""
    console = Console(highlight=False)
    settings = Settings()
    current = running(settings.data / "run")
    if current is None:
        raise StackNotRunning(str(settings.data))
    console.print(f"[bold]{current.state}[/] at {current.url}, data in {settings.data}")
    console.print(_parts_table(current))
    console.print(_process_table(current.pid))
    _print_backlog(console, settings)
    if current.state is not State.READY:
        raise typer.Exit(1)


def _print_backlog(console: Console, settings: Settings) -> None:
    # An HTTP client, a third of a second of imports: the other commands do without.
    from operations import backlog  # noqa: PLC0415

    found = backlog.read(settings)
    if found.lanes:
        console.print(_lane_table(found.lanes))
    for sentence in found.sentences:
        console.print(sentence, style="yellow" if found.is_behind else "")


def _lane_table(lanes: "Sequence[LaneBacklog]") -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("lane")
    for title in ("acked/s", "merged/s", "oldest", "lag", "failed"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("log")
    table.add_column("")
    for lane in lanes:
        failed = [f"{lane.checkpoint_failures:,.0f} checkpoints", f"{lane.insert_failures:,.0f} inserts"]
        table.add_row(
            lane.name,
            f"{lane.acknowledged_per_second:,.0f}",
            f"{lane.merged_per_second:,.0f}",
            f"{lane.oldest_unflushed_seconds:,.1f} s",
            f"{lane.lag_segments:,.0f}",
            "\n".join(failed),
            "" if lane.log_objects is None else f"{lane.log_objects:,.0f} objects\n{lane.log_bytes / 1e6:,.1f} MB",
            Text("stalled", style="bold red") if lane.is_stalled else "",
        )
    return table


def _stop(settings: Settings, console: Console) -> None:
    with console.status("Stopping: the lanes write what they hold, then the engines end"):
        launch.stop(settings)
    console.print("Stopped.")


def _load_demo_once(settings: Settings, console: Console) -> None:
    record, connection = settings.data / _DEMO_RECORD, Connection.read(settings.data)
    if connection is None or record.exists():
        return
    demo.load(connection, console)
    record.touch()
    console.print("The demo is loaded.")


def _print_access(console: Console, settings: Settings, url: str) -> None:
    connection = Connection.read(settings.data)
    rows = Table.grid(padding=(0, 2))
    rows.add_row("Address", Text(url, style="bold cyan"))
    rows.add_row("Sign-in", f"{settings.init.user_email}  {settings.init.user_password}")
    if connection is not None:
        rows.add_row("Public key", connection.public_key)
        rows.add_row("Secret key", connection.secret_key)
    rows.add_row("For your shell", str(settings.data / CONNECTION_FILE))
    console.print(rows)


def _parts_table(status: StackStatus) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("part", "state", "pid", "restarts", ""):
        table.add_column(title)
    for part in status.parts:
        state = Text(str(part.state), style=_COLOURS.get(part.state, "dim"))
        table.add_row(part.name, state, str(part.pid or ""), str(part.restarts or ""), part.detail)
    return table


def _process_table(daemon_pid: int) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("process")
    table.add_column("pid", justify="right")
    table.add_column("memory", justify="right")
    total = 0
    daemon = psutil.Process(daemon_pid)
    for process in [daemon, *daemon.children(recursive=True)]:
        try:
            command, used = process.cmdline(), process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        total += used
        table.add_row(_title(command, process), str(process.pid), f"{used / 1e6:,.0f} MB")
    table.add_row("total", "", f"{total / 1e6:,.0f} MB", style="bold")
    return table


def _title(command: list[str], process: psutil.Process) -> str:
    words = [word for word in command if word]
    if len(words) > 2 and words[1] in {"-m", "-u"}:
        return words[2].rpartition("/")[2]
    if len(words) > 1 and words[1].startswith("/"):
        return " ".join([words[1].rpartition("/")[2], *words[2:3]])
    return words[0].rpartition("/")[2] if words else process.name()
