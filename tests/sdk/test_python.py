"""The Python SDK in three major versions: each runs the tests in `python/` in an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import environments
from tests.sdk.server import Server

FOLDER = Path(__file__).with_name("python")
# Nothing of this repository's set-up, nor its plugins: the suite is a user's program.
ALONE = ("-q", "--tb=short", "-c", os.devnull, "--rootdir", ".", "--confcutdir", ".", "-p", "no:cacheprovider")


def suite(server: Server, python: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of the folder by an interpreter that has an SDK."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME")}
    command = [str(python), "-m", "pytest", *ALONE, *options]
    environment = {**kept, **server.environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)


def test_a_sample_works_with_the_newest_version(server: Server) -> None:
    ran = suite(server, Path(sys.executable), "-m", "sample")

    assert ran.returncode == 0, ran.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_everything_works_with_the_newest_version(server: Server) -> None:
    ran = suite(server, Path(sys.executable))

    assert ran.returncode == 0, ran.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("major", ["v3", "v2"])
def test_everything_works_with_an_older_version(server: Server, major: str) -> None:
    ran = suite(server, environments.python(FOLDER / major))

    assert ran.returncode == 0, ran.stdout
