"""The JavaScript SDK: the tests in `js/`, run by Node beside its packages."""

import os
import subprocess
from pathlib import Path

import pytest

from tests import environments
from tests.sdk.server import Server

FOLDER = Path(__file__).with_name("js")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_everything_works(server: Server) -> None:
    environment = {"PATH": os.environ["PATH"], **server.environment}
    place = environments.node(FOLDER)

    command = ["node", "--test-reporter=tap", "suite.mjs"]
    ran = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout
