"""Processes of the stack: started with an environment of their own, ended with all of their children."""

import asyncio
import json
import os
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


def record_session(record: Path, pid: int) -> None:
    """Remember the session that this process leads, for a later owner of the same directory."""
    record.write_text(json.dumps([pid, psutil.Process(pid).create_time()]), "utf-8")


def left_behind(record: Path) -> list[psutil.Process]:
    """What still lives of a recorded session, whose number nobody else gets before its last process has ended."""
    try:
        leader, started_at = json.loads(record.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    if leader <= 0 or started_at < psutil.boot_time() or _is_another(leader, started_at):
        return []
    return [process for process in psutil.process_iter() if _is_in(process, leader)]


def _is_another(pid: int, started_at: float) -> bool:
    try:
        return psutil.Process(pid).create_time() != started_at
    except psutil.NoSuchProcess:
        return False


def _is_in(process: psutil.Process, session: int) -> bool:
    try:
        return os.getsid(process.pid) == session
    except ProcessLookupError:
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace")[-4000:].strip().splitlines()
    return lines[-1].strip() if lines else ""
