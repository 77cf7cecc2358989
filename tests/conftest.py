"""Fixtures for every tier: the real engines are started once, by the first test that asks for them."""

from collections.abc import Iterator

import pytest
from hypothesis import settings as hypothesis_settings

from heliograph.settings import Settings
from migrations import plan
from tests.integration.engines import embedded, fresh_settings, running

# Two busy cores say nothing about the code: only pytest's own timeout bounds a test.
hypothesis_settings.register_profile("heliograph", deadline=None)
hypothesis_settings.load_profile("heliograph")


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """ClickHouse, PostgreSQL and S3, running and empty."""
    settings = fresh_settings(tmp_path_factory.mktemp("engines") / "data")
    with running(settings, embedded(settings)):
        yield settings


@pytest.fixture(scope="session")
def migrated(engines: Settings) -> Settings:
    """The engines with every migration applied."""
    plan.upgrade(engines)
    return engines


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two workers share the files, each with engines of its own; the browser's are one group, and come last.

    Playwright keeps an event loop running in its thread, in which no other can run.
    """
    items.sort(key=lambda item: "browser" in item.path.parts)
    for item in items:
        item.add_marker(pytest.mark.xdist_group("browser" if "browser" in item.path.parts else str(item.path)))
