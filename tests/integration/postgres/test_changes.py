import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import make_url, text

from heliograph.domain.access import IssuedKey, Project
from heliograph.domain.errors import KeyRevoked, KeyUnknown
from storage.postgres import key_cache
from storage.postgres.api_keys import CHANGES_CHANNEL, ApiKeys
from storage.postgres.changes import APPLICATION_NAME, Changes
from storage.postgres.connection import Database
from storage.postgres.key_cache import KeyCache
from tests.integration.postgres.conftest import PEPPER
from tests.integration.postgres.relay import Relay, SettableClock, until


class Replica:
    """What a replica holds of keys: a cache whose clock stands still, and its listener."""

    def __init__(self, database: Database, dsn: str) -> None:
        self.clock = SettableClock()
        self.cache = KeyCache(ApiKeys(database, PEPPER), self.clock)
        self.changes = Changes(dsn, {CHANGES_CHANNEL: self.cache})

    async def is_listening(self) -> bool:
        return self.changes.is_listening

    async def is_deaf(self) -> bool:
        return not self.changes.is_listening

    async def accepts(self, issued: IssuedKey) -> bool:
        try:
            await self.cache.principal(issued.public_key, issued.secret_key)
        except KeyRevoked:
            return False
        return True


@asynccontextmanager
async def listening(replica: Replica) -> AsyncIterator[Replica]:
    task = asyncio.create_task(replica.changes.run())
    await until(replica.is_listening)
    yield replica
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def refuses(replica: Replica, issued: IssuedKey) -> None:
    """Return when the replica refuses the key, though its clock stands still."""

    async def refused() -> bool:
        return not await replica.accepts(issued)

    await until(refused)


@pytest.fixture
async def issued(database: Database, project: Project) -> IssuedKey:
    return await ApiKeys(database, PEPPER).create(project.id)


def through(relay: Relay, dsn: str) -> str:
    return make_url(dsn).set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False)


async def test_a_revocation_reaches_every_replica_at_once(database: Database, dsn: str, issued: IssuedKey) -> None:
    async with listening(Replica(database, dsn)) as one, listening(Replica(database, dsn)) as two:
        assert [await one.accepts(issued), await two.accepts(issued)] == [True, True]

        await ApiKeys(database, PEPPER).revoke(issued.public_key)

        await refuses(one, issued)
        await refuses(two, issued)


async def test_a_new_key_is_let_in_where_it_was_refused_a_moment_ago(
    database: Database, dsn: str, project: Project
) -> None:
    async with listening(Replica(database, dsn)) as replica:
        with pytest.raises(KeyUnknown):
            await replica.cache.principal("pk-lf-soon", "sk-lf-soon")

        issued = await ApiKeys(database, PEPPER).create(project.id, public_key="pk-lf-soon", secret_key="sk-lf-soon")

        async def let_in() -> bool:
            with suppress(KeyUnknown):
                return await replica.accepts(issued)
            return False

        await until(let_in)


async def test_without_its_listener_a_replica_refuses_a_revoked_key_after_five_seconds(
    database: Database, dsn: str, relay: Relay, issued: IssuedKey
) -> None:
    async with listening(Replica(database, dsn)) as hears, listening(Replica(database, through(relay, dsn))) as deaf:
        assert [await hears.accepts(issued), await deaf.accepts(issued)] == [True, True]
        await relay.cut()
        await until(deaf.is_deaf)

        await ApiKeys(database, PEPPER).revoke(issued.public_key)

        await refuses(hears, issued)
        assert await deaf.accepts(issued)
        deaf.clock.now += key_cache.FRESH_SECONDS
        assert not await deaf.accepts(issued)
        assert deaf.changes.losses


async def test_what_was_missed_while_the_connection_was_cut_is_looked_up_after_it(
    database: Database, dsn: str, issued: IssuedKey
) -> None:
    cutting = text("""
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name = :name AND datname = current_database()
    """)
    silently = text("UPDATE api_keys SET revoked_at = now() WHERE public_key = :public_key")
    async with listening(Replica(database, dsn)) as replica:
        assert await replica.accepts(issued)

        async with database.transaction() as session:
            await session.execute(silently, {"public_key": issued.public_key})
            assert await session.scalar(cutting, {"name": APPLICATION_NAME}) == 1

        await refuses(replica, issued)
        assert replica.changes.losses == 1
