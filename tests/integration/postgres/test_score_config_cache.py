"""Score configs from memory: read once, dropped when they change, held while PostgreSQL is away."""

import asyncio

import pytest
from sqlalchemy import make_url

from heliograph.domain.access import Project
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_configs import ScoreConfig
from heliograph.domain.scores import ScoreDataType
from storage.postgres import score_config_cache
from storage.postgres.changes import Changes
from storage.postgres.connection import Database
from storage.postgres.score_config_cache import ScoreConfigCache
from storage.postgres.score_configs import SCORE_CONFIGS_CHANNEL, ScoreConfigs
from tests.integration.postgres.relay import Relay, SettableClock, until

NUMERIC = ScoreConfig(name="rate", data_type=ScoreDataType.NUMERIC, max_value=1)


@pytest.fixture
async def configs(database: Database, project: Project) -> ScoreConfigs:
    return ScoreConfigs(database, project.id)


async def test_a_config_is_read_once_as_long_as_it_is_fresh(
    database: Database, project: Project, configs: ScoreConfigs
) -> None:
    clock = SettableClock()
    cache = ScoreConfigCache(database, clock)
    made = await configs.create(NUMERIC)
    for _ in range(3):
        assert await cache.of(project.id, [made.id]) == {made.id: made}
    assert cache.reads == 1
    clock.now += score_config_cache.FRESH_SECONDS
    assert await cache.of(project.id, [made.id]) == {made.id: made}
    assert cache.reads == 2


async def test_a_config_is_found_the_moment_it_exists(
    database: Database, project: Project, configs: ScoreConfigs
) -> None:
    cache = ScoreConfigCache(database)
    first = await configs.create(NUMERIC)
    assert await cache.of(project.id, [first.id, "later", "\0"]) == {first.id: first}
    second = await configs.create(NUMERIC)
    assert set(await cache.of(project.id, [first.id, second.id])) == {first.id, second.id}


async def test_a_config_of_another_project_is_none(database: Database, project: Project, configs: ScoreConfigs) -> None:
    cache = ScoreConfigCache(database)
    made = await configs.create(NUMERIC)
    assert await cache.of(project.id, [made.id])
    assert await cache.of(ProjectId("another"), [made.id]) == {}


async def test_a_change_is_heard_by_other_replicas(
    dsn: str, database: Database, project: Project, configs: ScoreConfigs
) -> None:
    cache = ScoreConfigCache(database, SettableClock())
    changes = Changes(dsn, {SCORE_CONFIGS_CHANNEL: cache})
    listening = asyncio.create_task(changes.run())

    async def is_listening() -> bool:
        return changes.is_listening

    try:
        await until(is_listening)
        made = await configs.create(NUMERIC)
        await cache.of(project.id, [made.id])
        reads = cache.reads
        await configs.change(made.id, is_archived=True)

        async def is_archived() -> bool:
            return (await cache.of(project.id, [made.id]))[made.id].is_archived

        await until(is_archived)
        assert cache.reads == reads + 1
    finally:
        listening.cancel()


async def test_known_configs_hold_while_postgresql_is_away(
    dsn: str, relay: Relay, project: Project, configs: ScoreConfigs
) -> None:
    clock = SettableClock()
    through = make_url(dsn).set(host="127.0.0.1", port=relay.port)
    database = Database(through.render_as_string(hide_password=False))
    cache = ScoreConfigCache(database, clock)
    made = await configs.create(NUMERIC)
    await cache.of(project.id, [made.id])
    await relay.cut()
    clock.now += 60.0
    assert await cache.of(project.id, [made.id]) == {made.id: made}
    with pytest.raises(Unavailable):
        await cache.of(project.id, [made.id, "another"])
    clock.now += score_config_cache.STALE_SECONDS
    with pytest.raises(Unavailable):
        await cache.of(project.id, [made.id])
    await database.close()
