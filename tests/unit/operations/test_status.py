from pathlib import Path

import pytest

from operations import status
from operations.status import AlreadyLocked, StackStatus, State


def test_a_second_daemon_cannot_own_the_directory(tmp_path: Path) -> None:
    with status.lock(tmp_path), pytest.raises(AlreadyLocked):
        status.lock(tmp_path)


def test_a_dead_daemon_leaves_a_status_but_does_not_run(tmp_path: Path) -> None:
    StackStatus(pid=1, state=State.READY).write(tmp_path)

    assert StackStatus.read(tmp_path) is not None
    assert status.running(tmp_path) is None


def test_a_living_daemon_runs(tmp_path: Path) -> None:
    StackStatus(pid=1, state=State.READY).write(tmp_path)
    with status.lock(tmp_path):
        found = status.running(tmp_path)

    assert found is not None
    assert found.state is State.READY


def test_a_directory_that_does_not_exist_is_not_owned(tmp_path: Path) -> None:
    assert not status.is_locked(tmp_path / "nowhere")


def test_parts_are_found_by_name_and_added_once() -> None:
    stack = StackStatus(pid=1)

    stack.part("ray").restarts = 2

    assert stack.part("ray").restarts == 2
    assert len(stack.parts) == 1
