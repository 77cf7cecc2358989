"""Two Ray nodes over the embedded engines, which they are given by address as a cluster is."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from heliograph.settings import Settings
from tests.cluster.nodes import TwoNodes, two_nodes

HELIOGRAPH = Path(sys.executable).with_name("heliograph")
_DEPLOY_SECONDS = 240


@pytest.fixture
def cluster_settings(engines: Settings, tmp_path: Path) -> Settings:
    """As of a cluster: every store by its address, every secret from the environment, a fresh machine's directory."""
    addresses = {
        "clickhouse": engines.clickhouse.model_copy(update={"url": engines.clickhouse_url}).model_dump(),
        "postgres": {"url": engines.postgres_dsn.replace("+psycopg", "")},
        "s3": engines.s3.model_copy(update={"url": engines.s3_url}).model_dump(),
    }
    secrets = {name: name[0] * 64 for name in ("pepper", "session_secret", "encryption_key")}
    own = {"data_dir": tmp_path / "node", "port": engines.port, **secrets}
    return Settings.model_validate({**own, **addresses})


@pytest.fixture
def cluster(cluster_settings: Settings) -> Iterator[TwoNodes]:
    """Two nodes with nothing on them."""
    with two_nodes(cluster_settings) as nodes:
        yield nodes


def heliograph(nodes: TwoNodes, *arguments: str) -> str:
    """Run a command as the operator of the cluster does; its output, or an error that shows it."""
    done = subprocess.run(
        [str(HELIOGRAPH), *arguments],
        env=nodes.environment,
        capture_output=True,
        text=True,
        timeout=_DEPLOY_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"heliograph {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout
