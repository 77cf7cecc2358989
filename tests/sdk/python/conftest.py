"""What the tests of every version share. They run in the environment of that version, against a server that is up."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import langfuse as sdk
import pytest
from generated import MAJOR, Generated
from watched import watch

_Found = TypeVar("_Found")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(name): the version has this method of its generated client")
    config.addinivalue_line("markers", "majors(*numbers): a test of these major versions alone")
    config.addinivalue_line("markers", "sample: one of the few that always run")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What counts the calls comes last."""
    items.sort(key=lambda item: "test_walk" in item.nodeid)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        if not all(item.session.api.has(name) for name in mark.args):
            pytest.skip(f"this version has no {mark.args}")
    for mark in item.iter_markers("majors"):
        if MAJOR not in mark.args:
            pytest.skip(f"of the versions {mark.args}")


def pytest_sessionstart(session: pytest.Session) -> None:
    url = os.environ["LANGFUSE_HOST"]
    session.api = Generated(url, (os.environ["LANGFUSE_PUBLIC_KEY"], os.environ["LANGFUSE_SECRET_KEY"]))
    session.api.watch()
    watch(sdk.Langfuse, "Langfuse.")


@pytest.fixture(scope="session")
def api(request: pytest.FixtureRequest) -> Generated:
    """The generated client, with the project's keys."""
    return request.session.api


@pytest.fixture(scope="session")
def organization() -> Generated:
    """The generated client, with the organization's keys."""
    keys = os.environ["ORGANIZATION_PUBLIC_KEY"], os.environ["ORGANIZATION_SECRET_KEY"]
    return Generated(os.environ["LANGFUSE_HOST"], keys)


@pytest.fixture(scope="session")
def langfuse() -> Iterator[Any]:
    """The client that people use."""
    client = sdk.Langfuse() if MAJOR == 2 else sdk.get_client()
    yield client
    client.shutdown()


@pytest.fixture(scope="session")
def project_id(api: Generated) -> str:
    return api("projects.get").data[0].id


@pytest.fixture
def name() -> str:
    """A name that nothing else has."""
    return f"n-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def eventually() -> Callable[[Callable[[], _Found]], _Found]:
    """Ask until there is an answer: what was sent is read a moment later."""

    def ask(look: Callable[[], _Found], seconds: float = 20.0) -> _Found:
        until = time.monotonic() + seconds
        while True:
            try:
                found = look()
            except Exception:
                if time.monotonic() > until:
                    raise
            else:
                if found or time.monotonic() > until:
                    return found
            time.sleep(0.1)

    return ask
