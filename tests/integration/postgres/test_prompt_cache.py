"""Prompts from memory: read once, dropped when they change, served while PostgreSQL is away."""

import asyncio
from dataclasses import dataclass

import pytest
from sqlalchemy import make_url

from heliograph.domain.access import Project
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import PromptNotFound
from heliograph.domain.prompts import Choice, NewPrompt, PromptType
from storage.postgres import prompt_cache
from storage.postgres.changes import Changes
from storage.postgres.connection import Database
from storage.postgres.prompt_cache import Asked, PromptCache
from storage.postgres.prompt_changes import PROMPTS_CHANNEL
from storage.postgres.prompts import Prompts
from tests.integration.postgres.relay import Relay, SettableClock, until

PRODUCTION = Choice(label="production")


@dataclass
class Replica:
    """A cache with a clock of its own, and the prompts that it caches."""

    cache: PromptCache
    prompts: Prompts
    project_id: ProjectId
    now: float = 0.0

    async def write(self, text: str, name: str = "hot") -> None:
        new = NewPrompt(name=name, type=PromptType.TEXT, body=text, labels=("production",))
        await self.prompts.created(new)

    async def read(self, name: str = "hot") -> object:
        return (await self.cache.get(Asked(self.project_id, name, PRODUCTION))).prompt.body


@pytest.fixture
async def replica(database: Database, project: Project) -> Replica:
    made: list[Replica] = []
    cache = PromptCache(database, lambda: made[0].now)
    made.append(Replica(cache, Prompts(database, project.id), project.id))
    return made[0]


async def test_a_hot_prompt_is_read_once(replica: Replica) -> None:
    await replica.write("one")
    texts = await asyncio.gather(*(replica.read() for _ in range(200)))
    assert set(texts) == {"one"}
    assert replica.cache.reads == 1


async def test_a_change_is_heard_and_read_at_once(replica: Replica, dsn: str) -> None:
    await replica.write("one")
    changes = Changes(dsn, {PROMPTS_CHANNEL: replica.cache})
    listening = asyncio.create_task(changes.run())

    async def is_listening() -> bool:
        return changes.is_listening

    async def is_read() -> bool:
        return await replica.read() == "two"

    await until(is_listening)
    assert await replica.read() == "one"
    await replica.write("two")
    await until(is_read)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_known_prompt_is_served_while_postgresql_is_away(project: Project, dsn: str, relay: Relay) -> None:
    address = make_url(dsn).set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False)
    database, clock = Database(address), SettableClock()
    cache, asked = PromptCache(database, clock), Asked(project.id, "hot", PRODUCTION)
    new = NewPrompt(name="hot", type=PromptType.TEXT, body="one", labels=("production",))
    await Prompts(database, project.id).created(new)
    await cache.get(asked)
    await relay.cut()
    cache.age()
    clock.now += prompt_cache.STALE_SECONDS - 1
    assert (await cache.get(asked)).prompt.body == "one"
    clock.now += 2
    with pytest.raises(Unavailable):
        await cache.get(asked)
    await database.close()


async def test_a_change_that_nobody_heard_is_read_after_a_while(replica: Replica) -> None:
    await replica.write("one")
    await replica.read()
    await replica.write("two")
    assert await replica.read() == "one"
    replica.now += prompt_cache.FRESH_SECONDS
    assert await replica.read() == "two"


async def test_a_change_of_another_project_drops_nothing(replica: Replica) -> None:
    await replica.write("one")
    await replica.read()
    replica.cache.drop("another")
    await replica.read()
    assert replica.cache.reads == 1


async def test_a_missing_prompt_is_remembered_shortly(replica: Replica) -> None:
    for _ in range(3):
        with pytest.raises(PromptNotFound):
            await replica.read("absent")
    assert replica.cache.reads == 1
    await replica.write("here", "absent")
    replica.now += 1
    assert await replica.read("absent") == "here"
