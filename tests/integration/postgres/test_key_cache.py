import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import make_url, text

from heliograph.domain.access import IssuedKey, Project
from heliograph.domain.errors import KeyRevoked, KeyUnknown, Unavailable
from storage.postgres import key_cache
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.key_cache import KeyCache
from tests.integration.postgres.conftest import PEPPER


class SettableClock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Relay:
    """A way to the server that can be cut, and that counts who takes it."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            self._writers += [writer, far_writer]
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def relay(dsn: str) -> AsyncIterator[Relay]:
    url = make_url(dsn)
    relay = Relay(str(url.host), int(url.port or 0))
    await relay.open()
    yield relay
    await relay.cut()


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


async def test_many_requests_at_once_share_one_look_up(cache: KeyCache, issued: IssuedKey, dsn: str) -> None:
    await asyncio.gather(*(cache.principal(issued.public_key, issued.secret_key) for _ in range(200)))

    # A pool of ten with a wait of three seconds would have refused most of 200 look-ups.
    assert cache._lookups == {}


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
