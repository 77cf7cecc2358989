"""The whole stack as an operator meets it: up, again, killed, recovered, down."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
import pytest

from operations.checks import exposed_listeners
from operations.connection import Connection
from operations.status import StackStatus, State, is_locked, running

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(600)]

MAX_IDLE_BYTES = 3_500_000_000
RECOVERY_SECONDS = 240
HELIOGRAPH = str(Path(sys.executable).with_name("heliograph"))


class Stack(NamedTuple):
    """A stack of these tests' own."""

    data: Path
    port: int

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        own = {"HELIOGRAPH_DATA_DIR": str(self.data), "HELIOGRAPH_PORT": str(self.port)}
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("HELIOGRAPH", "RAY_"))}
        return subprocess.run(
            [HELIOGRAPH, *arguments], env={**environment, **own}, capture_output=True, text=True, check=False
        )

    def up(self) -> None:
        started = self.run("up")
        assert started.returncode == 0, started.stdout + started.stderr

    @property
    def status(self) -> StackStatus:
        found = running(self.data / "run")
        assert found is not None
        return found

    @property
    def processes(self) -> list[psutil.Process]:
        daemon = psutil.Process(self.status.pid)
        return [daemon, *daemon.children(recursive=True)]

    def process(self, title: str) -> psutil.Process:
        return next(process for process in self.processes if title in " ".join(process.cmdline()))

    def get(self, path: str) -> httpx.Response:
        connection = Connection.read(self.data)
        assert connection is not None
        return httpx.get(f"{connection.url}{path}", auth=(connection.public_key, connection.secret_key), timeout=20)

    def is_serving(self) -> bool:
        try:
            return self.get("/api/public/ready").status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    data = Path(tempfile.mkdtemp(prefix="hg-stack-"))
    running_stack = Stack(data, random.randrange(20_000, 28_000, 100))
    running_stack.up()
    yield running_stack
    running_stack.run("down")
    shutil.rmtree(data, ignore_errors=True)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + RECOVERY_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_it_serves_and_its_keys_are_in_the_connection_file(stack: Stack) -> None:
    assert stack.get("/api/public/ready").json()["status"] == "OK"
    assert len(stack.get("/api/public/projects").json()["data"]) == 1
    assert stack.get("/login").status_code == 200


def test_a_second_up_changes_nothing(stack: Stack) -> None:
    before = {process.pid for process in stack.processes}
    started = time.monotonic()

    stack.up()

    assert time.monotonic() - started < 40
    assert {process.pid for process in stack.processes} == before


def test_nothing_listens_beyond_loopback(stack: Stack) -> None:
    assert list(exposed_listeners(stack.status.pid)) == []


def test_idle_it_fits_into_memory(stack: Stack) -> None:
    assert sum(process.memory_full_info().pss for process in stack.processes) <= MAX_IDLE_BYTES


def test_another_project_gets_its_own_keys(stack: Stack) -> None:
    printed = stack.run("projects", "create", "Another", "--env").stdout

    values = dict(line.split("=", 1) for line in printed.splitlines())
    login = (values["HELIOGRAPH_PUBLIC_KEY"], values["HELIOGRAPH_SECRET_KEY"])
    answer = httpx.get(f"{values['HELIOGRAPH_URL']}/api/public/projects", auth=login, timeout=20)
    assert [project["name"] for project in answer.json()["data"]] == ["Another"]


def test_one_scrape_shows_every_process_and_status_says_that_nothing_is_behind(stack: Stack) -> None:
    processes = ("lane-0", "lane-1", "ingest ", "api ", "dashboard ")
    until(lambda: all(f'process="{process}' in stack.get("/metrics").text for process in processes))

    assert 'heliograph_key_listener_connected{door="ingest"' in stack.get("/metrics").text
    assert "Nothing is behind." in stack.run("status").stdout


def test_a_healthy_stack_passes_the_doctor(stack: Stack) -> None:
    examined = stack.run("doctor")

    assert examined.returncode == 0, examined.stdout


def test_a_second_stack_on_the_same_ports_is_told_so(stack: Stack, tmp_path: Path) -> None:
    refused = Stack(tmp_path / "data", stack.port).run("up")

    assert refused.returncode == 1
    assert f"Port {stack.port}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_dead_replica_costs_its_callers_nothing(stack: Stack) -> None:
    stack.process("ray::ServeReplica:api").kill()

    answers: list[httpx.Response] = []
    while not answers or answers[-1].status_code != 200:
        try:
            answers.append(stack.get("/api/public/health"))
        except httpx.RemoteProtocolError:
            continue  # The connection to the replica broke while it was in use: the client's is closed as well.
        time.sleep(0.2)

    assert {answer.status_code for answer in answers} <= {200, 503}
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 503)


@pytest.mark.parametrize("engine", ["postgres", "clickhouse", "seaweed"])
def test_a_dead_engine_is_restarted(stack: Stack, engine: str) -> None:
    before = stack.status.part(engine)

    psutil.Process(before.pid).kill()

    until(lambda: stack.status.part(engine).restarts > before.restarts)
    until(lambda: stack.status.part(engine).state is State.READY)
    until(stack.is_serving)


def test_a_dead_cluster_is_restarted(stack: Stack) -> None:
    before = stack.status.part("ray")

    psutil.Process(before.pid).kill()

    # HAProxy and some replicas outlive their cluster by moments.
    until(lambda: stack.status.part("ray").pid not in {0, before.pid})
    until(lambda: stack.status.part("doors").state is State.READY)
    until(stack.is_serving)


def test_it_recovers_after_every_process_was_killed(stack: Stack) -> None:
    for process in stack.processes:
        process.kill()
    until(lambda: not is_locked(stack.data / "run"))

    stack.up()

    assert stack.is_serving()
    assert len(stack.get("/api/public/projects").json()["data"]) == 1


def test_it_recovers_when_it_was_killed_while_it_recovered(stack: Stack) -> None:
    psutil.Process(stack.status.part("ray").pid).kill()
    until(lambda: stack.status.part("ray").state is State.FAILED)
    for process in stack.processes:
        process.kill()
    until(lambda: not is_locked(stack.data / "run"))

    stack.up()

    assert stack.is_serving()


def test_down_leaves_nothing_and_up_finds_the_data(stack: Stack) -> None:
    family = stack.processes

    stopped = stack.run("down")

    assert stopped.returncode == 0
    # Who adopted the daemon may not have collected it yet.
    living = [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert living == []
    stack.up()
    assert stack.is_serving()
