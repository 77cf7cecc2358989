import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from heliograph.domain.start_errors import ForeignDataDirectory
from heliograph.settings import LOOPBACK, Settings
from operations import launch
from operations.errors import DiskFull, PortInUse
from operations.fingerprint import fingerprint
from operations.ray_cluster import ray_environment, ray_folder, sessions_folder

_LONGEST_SOCKET = 107


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", port=27_300)


@pytest.fixture
def taken(settings: Settings) -> Iterator[int]:
    with socket.socket() as server:
        server.bind((LOOPBACK, settings.port))
        server.listen()
        yield settings.port


def test_a_taken_port_is_named_with_its_owner(settings: Settings, taken: int) -> None:
    (error,) = launch.taken_ports(settings)

    assert isinstance(error, PortInUse)
    assert error.port == taken
    assert "pid" in str(error)
    assert "HELIOGRAPH_PORT" in str(error)


def test_an_external_engine_needs_no_port(settings: Settings) -> None:
    external = settings.model_copy(update={"s3": settings.s3.model_copy(update={"url": "https://s3.example"})})

    assert "SeaweedFS" in launch.wanted_ports(settings).values()
    assert "SeaweedFS" not in launch.wanted_ports(external).values()


def test_a_full_disk_is_refused_before_anything_starts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.data.mkdir()
    monkeypatch.setattr("shutil.disk_usage", lambda _: DiskUsage(1 << 40, 1 << 40, 5 << 20))

    with pytest.raises(DiskFull, match="Only 5 MB"):
        launch.check(settings)


def test_a_foreign_directory_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "thesis.tex").touch()
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path))

    with pytest.raises(ForeignDataDirectory):
        launch.opened_settings()

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_secrets_that_were_given_at_the_first_start_are_known_without_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path / "data"))
    given = {
        "HELIOGRAPH_PEPPER": "from outside",
        "HELIOGRAPH_POSTGRES__PASSWORD": "chosen",
        "HELIOGRAPH_INIT__PROJECT_NAME": "Support",
        "HELIOGRAPH_INIT__SECRET_KEY": "sk-lf-chosen",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    first = launch.opened_settings()
    for name in given:
        monkeypatch.delenv(name)

    later = launch.opened_settings()

    assert later == first
    assert (later.pepper, later.postgres.password) == ("from outside", "chosen")
    assert (later.init.project_name, later.init.secret_key) == ("Support", "sk-lf-chosen")
    assert all((later.session_secret, later.clickhouse.password, later.s3.secret_key, later.init.user_password))


def test_settings_that_are_no_secrets_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HELIOGRAPH_POSTGRES__URL", "postgresql://elsewhere/heliograph")
    launch.opened_settings()
    monkeypatch.delenv("HELIOGRAPH_POSTGRES__URL")

    assert not launch.opened_settings().postgres.url


def test_what_a_killed_daemon_left_is_ended_before_the_start(settings: Settings) -> None:
    run = settings.data / "run"
    run.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as left:
        started_at = psutil.Process(left.pid).create_time()
        (run / "postgres.pid").write_text(json.dumps([left.pid, started_at]))

        launch.check(settings)

        assert left.wait(timeout=5) == -signal.SIGKILL
    assert list(run.glob("*.pid")) == []


def test_sockets_fit_below_any_data_directory(tmp_path: Path) -> None:
    deep = Settings(data_dir=tmp_path / ("d" * 100))

    folder, sessions = ray_folder(deep), sessions_folder(deep)

    node = "n" * 56
    assert len(f"{folder}/{node}/a.1234567.tmp") <= _LONGEST_SOCKET
    assert len(f"{sessions}/session_2026-11-24_09-05-27_123456_1234567/sockets/plasma_store") <= _LONGEST_SOCKET
    assert ray_folder(deep) == folder
    folder.rmdir()


def test_two_stacks_share_no_port_and_no_token(tmp_path: Path) -> None:
    one, other = (ray_environment(Settings(data_dir=tmp_path / str(port), port=port)) for port in (27_400, 27_500))
    own = [name for name in one if name.endswith(("_PORT", "_PATH"))]

    assert len(own) > 6
    assert all(one[name] != other[name] for name in own)
    for environment in (one, other):
        Path(environment["RAY_TMPDIR"]).parent.rmdir()


def test_the_fingerprint_follows_the_settings(settings: Settings) -> None:
    assert fingerprint(settings) == fingerprint(settings)
    assert fingerprint(settings) != fingerprint(settings.model_copy(update={"port": 47_301}))


def test_a_secret_that_a_later_release_needs_is_added_to_those_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path / "data"))
    first = launch.opened_settings()
    kept = first.data / "secrets.json"
    secrets = json.loads(kept.read_text("utf-8"))
    del secrets["encryption_key"]
    kept.write_text(json.dumps(secrets), "utf-8")

    later = launch.opened_settings()

    assert (later.pepper, later.postgres.password) == (first.pepper, first.postgres.password)
    assert later.encryption_key
    assert launch.opened_settings() == later
