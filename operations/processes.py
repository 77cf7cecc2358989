"""Processes of the stack: started with an environment of their own, ended with all of their children."""

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from operations.errors import StepFailed

_GRACE_SECONDS = 2


def with_environment(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The command, run with these variables on top of this process's own."""
    return ["/usr/bin/env", *(f"{name}={value}" for name, value in environment.items()), *command]


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module in this interpreter."""
    return [sys.executable, "-m", module, *arguments]


async def spawn(command: Sequence[str], log: Path, *, takes_input: bool = False) -> asyncio.subprocess.Process:
    """Start a process in a session of its own, so that a terminal's Ctrl-C reaches the daemon alone."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if takes_input else asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


async def finished(step: str, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait for a step's process; raises StepFailed with the last line that it wrote."""
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        end_tree(process.pid)
        raise
    if code != 0:
        raise StepFailed(step, _last_line(log) or f"it ended with code {code}")


def end_tree(pid: int) -> None:
    """Kill a process and all of its descendants, whatever group they are in."""
    try:
        root = psutil.Process(pid)
        family = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return
    kill(family)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kill these and wait until they are gone, so that their ports and files are free."""
    killed = []
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
        killed.append(process)
    psutil.wait_procs(killed, timeout=_GRACE_SECONDS)


def left_behind(name: str, value: str) -> list[psutil.Process]:
    """Processes with this variable in their environment: what a dead owner left, since children inherit it."""
    me = psutil.Process()
    spared = {me.pid, *(parent.pid for parent in me.parents())}
    return [process for process in psutil.process_iter() if process.pid not in spared and _has(process, name, value)]


def _has(process: psutil.Process, name: str, value: str) -> bool:
    try:
        return process.environ().get(name) == value
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace")[-4000:].strip().splitlines()
    return lines[-1].strip() if lines else ""
