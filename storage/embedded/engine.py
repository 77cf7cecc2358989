"""What the supervisor needs to know of an engine."""

import signal
from pathlib import Path
from typing import Protocol


class Engine(Protocol):
    """A server process of its own, with its data in a folder of its own."""

    @property
    def name(self) -> str:
        """One word, also the name of its log file."""

    @property
    def stop_seconds(self) -> float:
        """How long it gets to end by itself. What it has confirmed must survive a kill in any case."""

    @property
    def stop_signal(self) -> signal.Signals:
        """What makes it end in order, whoever is connected."""

    def command(self) -> list[str]:
        """Write what the server reads at its start, and return the command that runs it in the foreground."""

    def is_ready(self) -> bool:
        """Whether it serves. Blocking, at most a few seconds."""

    def prepare(self) -> None:
        """What has to be there before anyone uses it, once it is ready. Repeating it changes nothing."""


def folder(root: Path, name: str) -> Path:
    """The engine's folder, created if it is not there."""
    path = root / name
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
