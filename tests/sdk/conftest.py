"""One server for every SDK; their own suites are collected by those who run them."""

from collections.abc import Iterator

import pytest

from heliograph.settings import Settings
from tests.sdk.server import Server, serving

collect_ignore = ["js", "python"]


@pytest.fixture(scope="session")
def server(migrated: Settings) -> Iterator[Server]:
    with serving(migrated) as up:
        yield up
