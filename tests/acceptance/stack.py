"""A whole stack of its own, operated by the commands that a user types."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from heliograph.settings import Settings
from tests.integration.engines import free_block

_COMMAND = Path(sys.executable).with_name("heliograph")
_UP_SECONDS = 300


@dataclass(frozen=True)
class Stack:
    """A data directory and a first port; the commands know the rest."""

    data: Path
    port: int
    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a user would export."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELIOGRAPH_", "LANGFUSE_"))}
        # Wide, so that no table breaks what a test looks for.
        own = {"HELIOGRAPH_DATA_DIR": str(self.data), "HELIOGRAPH_PORT": str(self.port), "COLUMNS": "250"}
        return {**kept, **own, **self.chosen}

    @property
    def connection(self) -> dict[str, str]:
        """The lines of `connection.env`."""
        lines = (self.data / "connection.env").read_text("utf-8").splitlines()
        pairs = [line.removeprefix("export ").split("=", 1) for line in lines if "=" in line]
        return {name: value.strip("'\"") for name, value in pairs}

    @property
    def settings(self) -> Settings:
        """The settings of the stack's processes."""
        return Settings(data_dir=self.data, port=self.port)

    def heliograph(self, *arguments: str, seconds: float = _UP_SECONDS) -> str:
        """Run a command; its output, or an error that shows it."""
        done = subprocess.run(
            [str(_COMMAND), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"heliograph {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def processes(self) -> list[psutil.Process]:
        """Every process of this stack: those with its environment, and all of their descendants."""
        owned = [process for process in psutil.process_iter() if self._owns(process)]
        family = {process.pid: process for process in owned}
        for process in owned:
            with suppress(psutil.NoSuchProcess):
                family.update({child.pid: child for child in process.children(recursive=True)})
        return list(family.values())

    def titled(self, title: str) -> list[psutil.Process]:
        """Those of them whose title starts so."""
        return [process for process in self.processes() if " ".join(_command(process)).startswith(title)]

    def kill_everything(self) -> int:
        """Kill -9 every process of the stack; returns how many."""
        victims = self.processes()
        for victim in victims:
            if victim.is_running():
                victim.kill()
        psutil.wait_procs(victims, timeout=10)
        return len(victims)

    def _owns(self, process: psutil.Process) -> bool:
        if process.pid == os.getpid():
            return False
        try:
            # A process that sets its title overwrites the first variables, so either one tells.
            environment = process.environ()
            return environment.get("HELIOGRAPH_DATA_DIR") == str(self.data) or environment.get(
                "HELIOGRAPH_PORT"
            ) == str(self.port)
        except (psutil.Error, OSError):
            return False


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@contextmanager
def running(folder: Path, **chosen: str) -> Iterator[Stack]:
    """A stack that is up with these settings, and down afterwards."""
    stack = Stack(folder / "data", free_block(), chosen)
    try:
        stack.heliograph("up")
        yield stack
    finally:
        try:
            stack.heliograph("down")
        finally:
            stack.kill_everything()
