"""`heliograph logs`: what the parts of the stack have written."""

import time
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from heliograph.settings import Settings
from operations.errors import LogUnknown
from operations.ray_cluster import sessions_folder

_POLL_SECONDS = 0.3


def logs(
    part: Annotated[str, typer.Argument(help="Which part; without it, their names are listed.")] = "",
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more is written.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many lines from the end.")] = 50,
) -> None:
    """Print the end of a part's log."""
    files = log_files(Settings())
    if not part:
        for name in sorted(files):
            typer.echo(name)
        return
    if part not in files:
        raise LogUnknown(part, ", ".join(sorted(files)) or "none yet")
    with files[part].open("r", encoding="utf-8", errors="replace") as file:
        for line in deque(file, maxlen=lines):
            typer.echo(line, nl=False)
        while follow:
            more = file.read()
            typer.echo(more, nl=False) if more else time.sleep(_POLL_SECONDS)


def log_files(settings: Settings) -> dict[str, Path]:
    """Every log by the name of its part; those of Serve and the lanes lie with Ray."""
    files = {path.stem: path for path in sorted((settings.data / "logs").glob("*.log"))}
    session = sessions_folder(settings) / "session_latest" / "logs"
    for path in sorted((session / "serve").glob("*.log"), key=lambda path: path.stat().st_mtime):
        # replica_<application>_<deployment>_<id>.log: the newest replica of each stands for its door.
        name = path.stem.split("_")[1] if path.stem.startswith("replica_") else path.stem.split("_")[0]
        files[f"serve-{name}"] = path
    for path in sorted(session.glob("worker-*.err"), key=lambda path: path.stat().st_mtime):
        if path.stat().st_size:
            files[f"worker-{path.stem.rpartition('-')[2]}"] = path
    return files
