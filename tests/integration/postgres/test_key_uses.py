import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import make_url, select, text

from heliograph.domain.access import IssuedKey, Project
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ApiKeyId
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.key_uses import SPACING, KeyUses
from storage.postgres.tables.api_keys import ApiKeyRow
from tests.integration.postgres.conftest import PEPPER
from tests.integration.postgres.relay import Relay

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Calendar:
    """A time of day that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


async def _issued(database: Database, project: Project, count: int = 1) -> list[ApiKeyId]:
    keys = ApiKeys(database, PEPPER)
    issued: list[IssuedKey] = [await keys.create(project.id) for _ in range(count)]
    return [(await keys.find(each.public_key)).principal.api_key_id for each in issued]


async def _last_used(database: Database, key: ApiKeyId) -> datetime | None:
    async with database.transaction() as session:
        return await session.scalar(select(ApiKeyRow.last_used_at).where(ApiKeyRow.id == key))


async def test_the_uses_of_many_keys_are_written_at_once(
    database: Database, project: Project, calendar: Calendar
) -> None:
    keys = await _issued(database, project, 20)
    uses = KeyUses(database, calendar)
    for key in keys * 10:
        uses.note(key)

    assert await uses.record() == 20
    assert await uses.record() == 0
    assert {await _last_used(database, key) for key in keys} == {START}


async def test_a_key_that_all_replicas_use_is_written_once_a_minute(
    database: Database, project: Project, calendar: Calendar
) -> None:
    [key] = await _issued(database, project)
    replicas = [KeyUses(database, calendar) for _ in range(3)]
    writes = []
    for _ in range(12):
        calendar.now += timedelta(seconds=20)
        for uses in replicas:
            uses.note(key)
        writes += [await uses.record() for uses in replicas]

    assert sum(writes) == 4
    assert calendar.now - timedelta(minutes=1) <= (await _last_used(database, key) or START) <= calendar.now


async def test_a_row_that_another_is_writing_is_passed_over(
    database: Database, project: Project, calendar: Calendar
) -> None:
    held, free = await _issued(database, project, 2)
    uses = KeyUses(database, calendar)
    uses.note(held)
    uses.note(free)

    async with database.transaction() as holder, asyncio.timeout(5):
        await holder.execute(text("SELECT 1 FROM api_keys WHERE id = :id FOR UPDATE"), {"id": held})
        assert await uses.record() == 1

    assert await _last_used(database, held) is None
    assert await _last_used(database, free) == START


async def test_uses_wait_for_a_server_that_is_away(
    database: Database, project: Project, calendar: Calendar, *, relay: Relay, dsn: str
) -> None:
    first, second = await _issued(database, project, 2)
    far = Database(make_url(dsn).set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False))
    uses = KeyUses(far, calendar)
    await relay.cut()
    uses.note(first)
    with pytest.raises(Unavailable):
        await uses.record()

    await relay.open()
    calendar.now += SPACING
    uses.note(second)

    assert await uses.record() == 2
    assert await _last_used(database, first) == START
    await far.close()


async def test_what_was_gathered_is_written_when_the_replica_stops(
    database: Database, project: Project, calendar: Calendar
) -> None:
    [key] = await _issued(database, project)
    uses = KeyUses(database, calendar)
    running = asyncio.create_task(uses.run())
    await asyncio.sleep(0)
    uses.note(key)

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert await _last_used(database, key) == START
