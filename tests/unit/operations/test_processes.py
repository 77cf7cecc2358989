import asyncio
import json
import sys
from pathlib import Path

import psutil
import pytest

from operations import processes
from operations.errors import StepFailed

_PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"


async def _with_child(pid: int) -> list[psutil.Process]:
    """A process and its child, once it has one."""
    async with asyncio.timeout(20):
        while not (children := psutil.Process(pid).children()):  # noqa: ASYNC110  # another process tells nobody
            await asyncio.sleep(0.02)
    return [psutil.Process(pid), *children]


async def test_a_failed_step_tells_its_last_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = await processes.spawn([sys.executable, "-c", "import sys; sys.exit('the disk is on fire')"], log)

    with pytest.raises(StepFailed, match="the disk is on fire"):
        await processes.finished("migration", process, log)


async def test_ending_a_process_ends_its_children(tmp_path: Path) -> None:
    process = await processes.spawn([sys.executable, "-c", _PARENT], tmp_path / "log")
    family = await _with_child(process.pid)

    processes.end_tree(process.pid)

    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family)


async def test_orphans_are_known_by_their_session(tmp_path: Path) -> None:
    process = await processes.spawn([sys.executable, "-c", _PARENT], tmp_path / "log")
    processes.record_session(tmp_path / "pid", process.pid)
    _, child = await _with_child(process.pid)
    process.kill()
    await process.wait()

    left = processes.left_behind(tmp_path / "pid")
    processes.kill(left)

    assert [orphan.pid for orphan in left] == [child.pid]
    assert processes.left_behind(tmp_path / "pid") == []


async def test_a_reused_process_id_is_left_alone(tmp_path: Path) -> None:
    process = await processes.spawn([sys.executable, "-c", _PARENT], tmp_path / "log")
    try:
        (tmp_path / "pid").write_text(json.dumps([process.pid, psutil.Process(process.pid).create_time() - 1]))

        assert processes.left_behind(tmp_path / "pid") == []
    finally:
        processes.end_tree(process.pid)


def test_the_session_of_the_kernel_is_left_alone(tmp_path: Path) -> None:
    # Where a process's session was led from outside of its container, its number reads as 0.
    (tmp_path / "pid").write_text(json.dumps([0, psutil.Process().create_time()]))

    assert processes.left_behind(tmp_path / "pid") == []
