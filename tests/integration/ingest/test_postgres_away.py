"""PostgreSQL itself is stopped, and started again: known keys ingest, unknown ones are told to come back."""

import asyncio
from pathlib import Path

import httpx
import pytest

from heliograph.domain.access import IssuedKey
from heliograph.settings import Settings
from migrations.relational import Relational
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import IngestDependencies
from storage.embedded.engine import Engine
from storage.embedded.postgres import Postgres
from storage.postgres import key_cache
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.key_cache import KeyCache
from storage.postgres.projects import Projects
from tests.integration.engines import fresh_settings, running
from tests.integration.postgres.relay import SettableClock
from tests.unit.serve_apps.doors import PROTOBUF, TRACES, KeptInMemory, StoredInMemory, export, span


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return fresh_settings(tmp_path / "data")


class Sender:
    """Sends single spans through the front door."""

    def __init__(self, keys: KeyCache) -> None:
        self.kept = KeptInMemory()
        transport = httpx.ASGITransport(
            ingest_application(IngestDependencies(keys, self.kept, StoredInMemory())), root_path="/ingest"
        )
        self._client = httpx.AsyncClient(transport=transport, base_url="http://heliograph/ingest")
        self._sent = 0

    async def send(self, public_key: str, secret_key: str) -> httpx.Response:
        self._sent += 1
        body = export(span(self._sent))
        return await self._client.post(TRACES, content=body, headers=PROTOBUF, auth=(public_key, secret_key))


async def _first_keys(settings: Settings) -> tuple[IssuedKey, IssuedKey]:
    database = Database(settings.postgres_dsn)
    project = await Projects(database).create("first")
    keys = ApiKeys(database, settings.pepper)
    pairs = await keys.create(project.id), await keys.create(project.id)
    await database.close()
    return pairs


async def test_known_keys_ingest_and_unknown_ones_get_503_while_postgres_is_stopped(settings: Settings) -> None:
    clock = SettableClock()
    database = Database(settings.postgres_dsn)
    sender = Sender(KeyCache(ApiKeys(database, settings.pepper), clock))
    engines: list[Engine] = [Postgres(settings.postgres, settings.data, settings.port)]
    with running(settings, engines):
        await asyncio.to_thread(Relational(settings.postgres_dsn).upgrade, lanes=2)
        known, unseen = await _first_keys(settings)
        assert (await sender.send(known.public_key, known.secret_key)).status_code == 200
        # A server that is told to end waits for its clients.
        await database.close()

    clock.now += key_cache.FRESH_SECONDS
    answers = [await sender.send(known.public_key, known.secret_key) for _ in range(3)]
    refused = [await sender.send(*pair) for pair in ((unseen.public_key, unseen.secret_key), ("pk-lf-x", "sk-lf-x"))]
    wrong = await sender.send(known.public_key, "sk-lf-wrong")

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(sender.kept.ids()) == 4
    assert [answer.status_code for answer in refused] == [503, 503]
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert wrong.status_code == 401

    clock.now += key_cache.FRESH_SECONDS
    with running(settings, [Postgres(settings.postgres, settings.data, settings.port)]):
        assert (await sender.send(unseen.public_key, unseen.secret_key)).status_code == 200
        assert (await sender.send("pk-lf-x", "sk-lf-x")).status_code == 401
        await database.close()
