"""One stack for all acceptance tests: they use projects and traces of their own."""

from collections.abc import Iterator

import pytest

from tests.acceptance.stack import Stack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole stack, up and empty."""
    with running(tmp_path_factory.mktemp("stack")) as up:
        yield up
