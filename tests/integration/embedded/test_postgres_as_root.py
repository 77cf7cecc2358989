"""PostgreSQL refuses to run as root, so a root that owns the data directory has it run as somebody else."""

import os
import stat
from pathlib import Path

import psutil
import psycopg
import pytest

from heliograph.settings import Settings
from storage.embedded.postgres import Postgres
from tests.integration.engines import fresh_settings, running

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="concerns root alone")


@pytest.fixture
def without_namespaces(tmp_path: Path) -> str:
    """A search path on which `unshare` fails, as it does in a container."""
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in Path(psycopg.__file__).parents):
        pytest.skip("it would open a folder above this environment")
    forbidding = tmp_path / "bin" / "unshare"
    forbidding.parent.mkdir()
    forbidding.write_text("#!/bin/sh\nexit 1\n")
    forbidding.chmod(0o755)
    return f"{forbidding.parent}{os.pathsep}{os.environ['PATH']}"


def visit(settings: Settings) -> tuple[int, int]:
    """Start the server, add a row, stop it; its real user, and how many rows there are."""
    with running(settings, [Postgres(settings.postgres, settings.data, settings.port)]) as supervisor:
        (status,) = supervisor.statuses
        with psycopg.connect(settings.postgres_dsn.replace("+psycopg", ""), autocommit=True) as database:
            database.execute("CREATE TABLE IF NOT EXISTS visits (id int)")
            database.execute("INSERT INTO visits VALUES (1)")
            counted = database.execute("SELECT count(*) FROM visits").fetchone()
        assert counted is not None
        return psutil.Process(status.pid).uids().real, counted[0]


def test_it_runs_where_user_namespaces_are_forbidden(
    tmp_path: Path, without_namespaces: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    settings = fresh_settings(closed / "data")
    monkeypatch.setenv("PATH", without_namespaces)
    user, rows = visit(settings)
    assert user != 0
    assert rows == 1
    assert closed.stat().st_mode & 0o777 == 0o701


def test_a_cluster_moves_between_machines_with_and_without_user_namespaces(
    tmp_path: Path, without_namespaces: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = fresh_settings(tmp_path / "data")
    usual = os.environ["PATH"]
    counts = []
    for path in (usual, without_namespaces, usual):
        monkeypatch.setenv("PATH", path)
        counts.append(visit(settings)[1])
    assert counts == [1, 2, 3]
