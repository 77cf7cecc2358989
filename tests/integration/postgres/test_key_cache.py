import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url, text

from heliograph.domain.access import IssuedKey, Project
from heliograph.domain.errors import KeyRevoked, KeyUnknown, Unavailable
from heliograph.domain.identifiers import ApiKeyId
from storage.postgres import key_cache
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.key_cache import KeyCache
from tests.integration.postgres.conftest import PEPPER
from tests.integration.postgres.relay import Relay, SettableClock, until

_WAITING = text("SELECT count(*) FROM pg_locks WHERE relation = CAST('api_keys' AS regclass) AND NOT granted")


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def cache(dsn: str, relay: Relay, clock: SettableClock) -> AsyncIterator[KeyCache]:
    far = make_url(dsn).set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False)
    database = Database(far)
    yield KeyCache(ApiKeys(database, PEPPER), clock)
    await database.close()


@pytest.fixture
async def issued(database: Database, project: Project) -> IssuedKey:
    return await ApiKeys(database, PEPPER).create(project.id)


async def _revoke_silently(database: Database, public_key: str) -> None:
    async with database.transaction() as session:
        revoking = text("UPDATE api_keys SET revoked_at = now() WHERE public_key = :public_key")
        await session.execute(revoking, {"public_key": public_key})


async def test_a_revocation_is_seen_after_five_seconds(
    cache: KeyCache, clock: SettableClock, database: Database, issued: IssuedKey
) -> None:
    await cache.principal(issued.public_key, issued.secret_key)
    await _revoke_silently(database, issued.public_key)

    clock.now += key_cache.FRESH_SECONDS - 0.1
    assert (await cache.principal(issued.public_key, issued.secret_key)).public_key == issued.public_key
    clock.now += 0.2
    for _ in range(2):
        with pytest.raises(KeyRevoked):
            await cache.principal(issued.public_key, issued.secret_key)


async def test_a_dropped_key_is_looked_up_at_once(cache: KeyCache, database: Database, issued: IssuedKey) -> None:
    await cache.principal(issued.public_key, issued.secret_key)
    await _revoke_silently(database, issued.public_key)

    cache.drop(issued.public_key)

    with pytest.raises(KeyRevoked):
        await cache.principal(issued.public_key, issued.secret_key)


async def test_a_wrong_secret_is_refused_from_memory_too(cache: KeyCache, issued: IssuedKey) -> None:
    await cache.principal(issued.public_key, issued.secret_key)

    with pytest.raises(KeyUnknown):
        await cache.principal(issued.public_key, "sk-lf-wrong")


async def test_an_unknown_key_is_remembered_for_five_seconds(
    cache: KeyCache, clock: SettableClock, database: Database, project: Project
) -> None:
    with pytest.raises(KeyUnknown):
        await cache.principal("pk-lf-late", "sk-lf-late")
    await ApiKeys(database, PEPPER).create(project.id, public_key="pk-lf-late", secret_key="sk-lf-late")

    with pytest.raises(KeyUnknown):
        await cache.principal("pk-lf-late", "sk-lf-late")
    clock.now += key_cache.FRESH_SECONDS
    assert (await cache.principal("pk-lf-late", "sk-lf-late")).project_id == project.id


async def test_many_requests_at_once_share_one_look_up(cache: KeyCache, issued: IssuedKey, database: Database) -> None:
    async with database.transaction() as holder:
        await holder.execute(text("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE"))
        asked = [asyncio.create_task(cache.principal(issued.public_key, issued.secret_key)) for _ in range(200)]
        await until(lambda: holder.scalar(_WAITING))
        # What would follow the first one has had the time.
        await asyncio.sleep(0.2)
        look_ups = await holder.scalar(_WAITING)

    assert look_ups == 1
    assert {principal.public_key for principal in await asyncio.gather(*asked)} == {issued.public_key}
    assert cache.meter.look_ups == 1


async def test_a_look_up_from_before_a_reconnection_is_not_remembered(
    cache: KeyCache, issued: IssuedKey, database: Database
) -> None:
    async with database.transaction() as holder:
        await holder.execute(text("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE"))
        early = asyncio.create_task(cache.principal(issued.public_key, issued.secret_key))
        await until(lambda: holder.scalar(_WAITING))
        cache.age()
    await early

    await cache.principal(issued.public_key, issued.secret_key)
    await cache.principal(issued.public_key, issued.secret_key)

    assert (cache.meter.look_ups, cache.meter.hits) == (2, 1)


async def test_after_a_reconnection_keys_are_looked_up_but_served_when_the_server_goes_again(
    cache: KeyCache, relay: Relay, database: Database, issued: IssuedKey
) -> None:
    await cache.principal(issued.public_key, issued.secret_key)
    cache.age()
    await relay.cut()
    assert (await cache.principal(issued.public_key, issued.secret_key)).public_key == issued.public_key
    assert cache.meter.stale == 1

    await _revoke_silently(database, issued.public_key)
    await relay.open()
    cache.age()
    with pytest.raises(KeyRevoked):
        await cache.principal(issued.public_key, issued.secret_key)


async def test_every_valid_use_is_noted_and_no_other(dsn: str, database: Database, issued: IssuedKey) -> None:
    used: list[ApiKeyId] = []
    cache = KeyCache(ApiKeys(database, PEPPER), note_use=used.append)

    principal = await cache.principal(issued.public_key, issued.secret_key)
    with pytest.raises(KeyUnknown):
        await cache.principal(issued.public_key, "sk-lf-wrong")
    await cache.public_principal(issued.public_key)

    assert used == [principal.api_key_id] * 2


async def test_known_keys_are_served_for_ten_minutes_while_the_server_is_away(
    cache: KeyCache, clock: SettableClock, relay: Relay, issued: IssuedKey
) -> None:
    await cache.principal(issued.public_key, issued.secret_key)
    await relay.cut()

    clock.now += key_cache.STALE_SECONDS - 1
    assert (await cache.principal(issued.public_key, issued.secret_key)).public_key == issued.public_key
    with pytest.raises(KeyUnknown):
        await cache.principal(issued.public_key, "sk-lf-wrong")
    with pytest.raises(Unavailable):
        await cache.principal("pk-lf-stranger", "sk-lf-stranger")
    clock.now += 2
    with pytest.raises(Unavailable):
        await cache.principal(issued.public_key, issued.secret_key)


async def test_a_server_that_comes_back_is_asked_again(
    cache: KeyCache, clock: SettableClock, relay: Relay, issued: IssuedKey
) -> None:
    await relay.cut()
    with pytest.raises(Unavailable):
        await cache.principal(issued.public_key, issued.secret_key)

    await relay.open()
    clock.now += key_cache.FRESH_SECONDS

    assert (await cache.principal(issued.public_key, issued.secret_key)).public_key == issued.public_key
