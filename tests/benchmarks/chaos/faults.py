"""The faults, injected for real: kill -9, or SIGSTOP and SIGCONT, by the process ids of the stack's status file."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from heliograph.settings import Settings
from operations.status import StackStatus, State, running

_SLOW_SECONDS = 20.0
_DEAD_SECONDS = 2.0
_LANE, _REPLICA = "ray::LaneActor", "ray::ServeReplica:ingest"


class Processes:
    """The processes of one stack, found anew for every fault: whoever died has a successor."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def status(self) -> StackStatus | None:
        """What the living daemon has written last."""
        return running(self._settings.data / "run")

    @property
    def is_ready(self) -> bool:
        """Whether every part runs, and so do the lanes and the ingestion replicas."""
        status = self.status
        parts = {part.state for part in status.parts} if status else set()
        return parts == {State.READY} and bool(self.titled(_LANE) and self.titled(_REPLICA))

    def everything(self) -> list[psutil.Process]:
        """The daemon and all of its descendants."""
        status = self.status
        return _family(status.pid) if status else []

    def daemon(self) -> list[psutil.Process]:
        """The supervisor alone."""
        return self.everything()[:1]

    def part(self, name: str) -> list[psutil.Process]:
        """An engine or the cluster, with its children."""
        status = self.status
        return _family(status.part(name).pid) if status else []

    def titled(self, *prefixes: str) -> list[psutil.Process]:
        """Those whose title starts so."""
        return [process for process in self.everything() if _title(process).startswith(prefixes)]

    def up(self) -> None:
        """Start the stack as its operator would, or do nothing when it runs."""
        self._command("up")

    def down(self) -> None:
        """Stop the stack."""
        self._command("down")

    def _command(self, verb: str) -> None:
        own = {"HELIOGRAPH_DATA_DIR": str(self._settings.data), "HELIOGRAPH_PORT": str(self._settings.port)}
        command = [str(Path(sys.executable).with_name("heliograph")), verb]
        done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"heliograph {verb}: {done.stdout}{done.stderr}")


@dataclass(frozen=True)
class Fault:
    """A name, and what it does to the stack; it returns when the stack is left to itself again."""

    name: str
    inject: Callable[[Processes], None]


def _family(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _title(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def kill(victims: Sequence[psutil.Process]) -> None:
    """Kill -9; a fault without a victim would prove nothing."""
    if not victims:
        raise RuntimeError("there is nothing to kill")
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    # The stack's own parents reap their children; the daemon's parent may be long gone.
    deadline = time.monotonic() + 10
    while any(_lives(victim) for victim in victims) and time.monotonic() < deadline:
        time.sleep(0.05)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stopped_for(seconds: float, victims: Sequence[psutil.Process]) -> None:
    """Stop processes with SIGSTOP, and let them continue as if nothing had happened."""
    if not victims:
        raise RuntimeError("there is nothing to stop")
    _signal(victims, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        _signal(victims, signal.SIGCONT)


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _killed(choose: Callable[[Processes], Sequence[psutil.Process]]) -> Callable[[Processes], None]:
    return lambda stack: kill(choose(stack))


def _restarted(choose: Callable[[Processes], Sequence[psutil.Process]]) -> Callable[[Processes], None]:
    def inject(stack: Processes) -> None:
        kill(choose(stack))
        time.sleep(_DEAD_SECONDS)
        stack.up()

    return inject


def _slow(choose: Callable[[Processes], Sequence[psutil.Process]]) -> Callable[[Processes], None]:
    return lambda stack: stopped_for(_SLOW_SECONDS, choose(stack))


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("lane", _killed(lambda stack: stack.titled(_LANE)[:1])),
        Fault("replica", _killed(lambda stack: stack.titled(_REPLICA)[:1])),
        Fault("all", _killed(lambda stack: stack.titled(_LANE, _REPLICA))),
        Fault("clickhouse", _killed(lambda stack: stack.part("clickhouse"))),
        Fault("postgres", _killed(lambda stack: stack.part("postgres"))),
        Fault("s3", _killed(lambda stack: stack.part("seaweed"))),
        Fault("cluster", _killed(lambda stack: stack.part("ray")[:1])),
        Fault("supervisor", _restarted(Processes.daemon)),
        Fault("stack", _restarted(Processes.everything)),
        Fault("slow-lane", _slow(lambda stack: stack.titled(_LANE)[:1])),
        Fault("slow-clickhouse", _slow(lambda stack: stack.part("clickhouse"))),
        Fault("slow-postgres", _slow(lambda stack: stack.part("postgres"))),
        Fault("slow-s3", _slow(lambda stack: stack.part("seaweed"))),
    )
}
