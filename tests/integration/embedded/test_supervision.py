"""The supervisor and the data directory: restarts, leftovers, and clear words when something is wrong."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from heliograph.domain.start_errors import CorruptDataDirectory, EngineFailed, ForeignDataDirectory
from heliograph.settings import SECRETS_FILE, Settings
from storage.embedded.data_directory import MARKER, open_directory
from storage.embedded.supervisor import Supervisor, end_left_behind


class Program:
    """An engine that is a small program of ours."""

    stop_seconds = 5.0
    stop_signal = signal.SIGTERM

    def __init__(self, code: str, name: str = "program") -> None:
        self.name = name
        self._code = code
        self.prepared = 0

    def command(self) -> list[str]:
        return [sys.executable, "-c", self._code]

    def is_ready(self) -> bool:
        return True

    def prepare(self) -> None:
        self.prepared += 1


SLEEPS = "import time; time.sleep(600)"


async def until_restarted(supervisor: Supervisor, times: int) -> None:
    for _ in range(400):
        (status,) = supervisor.statuses
        if status.restarts >= times and status.is_ready:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


async def test_a_dead_engine_is_restarted_and_prepared_again(tmp_path: Path) -> None:
    program = Program(SLEEPS)
    supervisor = Supervisor([program], tmp_path)
    await supervisor.start()
    (before,) = [status.pid for status in supervisor.statuses]
    psutil.Process(before).kill()
    await until_restarted(supervisor, 1)
    (after,) = [status.pid for status in supervisor.statuses]
    assert after != before
    assert program.prepared == 2
    await supervisor.stop()
    assert not psutil.pid_exists(after)


async def test_an_engine_that_lives_but_serves_no_more_is_restarted(tmp_path: Path) -> None:
    class ServesOnce(Program):
        stuck_pid = 0

        def is_ready(self) -> bool:
            pid, _ = json.loads((tmp_path / "run" / "program.pid").read_text("utf-8"))
            return int(pid) != self.stuck_pid

    program = ServesOnce(SLEEPS)
    supervisor = Supervisor([program], tmp_path, stuck_seconds=0.2)
    await supervisor.start()
    (stuck,) = [status.pid for status in supervisor.statuses]
    program.stuck_pid = stuck
    await until_restarted(supervisor, 1)
    assert not psutil.pid_exists(stuck)
    await supervisor.stop()


async def test_an_engine_that_cannot_start_says_why(tmp_path: Path) -> None:
    class NeverReady(Program):
        def is_ready(self) -> bool:
            return False

    supervisor = Supervisor([NeverReady("raise SystemExit('the disk is full')")], tmp_path)
    with pytest.raises(EngineFailed, match="the disk is full"):
        await supervisor.start()


async def test_what_a_killed_supervisor_left_is_ended_first(tmp_path: Path) -> None:
    killed = Supervisor([Program(SLEEPS)], tmp_path)
    await killed.start()
    (left,) = [status.pid for status in killed.statuses]
    for task in killed._tasks.values():
        task.cancel()
    successor = Supervisor([Program(SLEEPS)], tmp_path)
    await successor.start()
    await killed._processes["program"].wait()
    assert not psutil.pid_exists(left)
    await successor.stop()


def test_what_was_left_is_ended_while_its_children_come_and_go(tmp_path: Path) -> None:
    loops = "(while :; do sleep 0.003; done) & " * 8 + "wait"
    # A child has ended between the look and the kill in most rounds.
    for _ in range(5):
        with subprocess.Popen(["/bin/sh", "-c", loops], start_new_session=True) as left:
            time.sleep(0.05)
            record = [left.pid, psutil.Process(left.pid).create_time()]
            (tmp_path / "program.pid").write_text(json.dumps(record), "utf-8")
            end_left_behind(tmp_path, ["program"])
            is_ended = psutil.Process(left.pid).status() == psutil.STATUS_ZOMBIE
            with suppress(ProcessLookupError):
                os.killpg(left.pid, signal.SIGKILL)
        assert is_ended


def test_a_process_id_that_was_given_anew_is_left_alone(tmp_path: Path) -> None:
    me = psutil.Process()
    (tmp_path / "program.pid").write_text(json.dumps([me.pid, me.create_time() - 100]))
    end_left_behind(tmp_path, ["program"])
    assert me.is_running()


def test_a_new_directory_gets_a_marker_and_secrets_for_its_owner_alone(tmp_path: Path) -> None:
    open_directory(tmp_path / "data")
    assert (tmp_path / "data" / SECRETS_FILE).stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "data" / SECRETS_FILE).read_bytes()
    open_directory(tmp_path / "data")
    assert (tmp_path / "data" / SECRETS_FILE).read_bytes() == before
    assert Settings(data_dir=tmp_path / "data").pepper


def test_a_foreign_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(ForeignDataDirectory, match="HELIOGRAPH_DATA_DIR"):
        open_directory(tmp_path)


@pytest.mark.parametrize("marker", ["", "[]", '{"format": 99}', '{"format": "x"}'])
def test_a_corrupt_or_newer_directory_is_refused(tmp_path: Path, marker: str) -> None:
    (tmp_path / MARKER).write_text(marker)
    with pytest.raises(CorruptDataDirectory, match="HELIOGRAPH_DATA_DIR"):
        open_directory(tmp_path)


def test_lost_secrets_are_not_replaced_while_there_is_data(tmp_path: Path) -> None:
    open_directory(tmp_path / "data")
    (tmp_path / "data" / SECRETS_FILE).unlink()
    (tmp_path / "data" / "postgres").mkdir()
    with pytest.raises(CorruptDataDirectory, match="missing"):
        open_directory(tmp_path / "data")
