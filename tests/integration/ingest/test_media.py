"""Media in payloads on the real stores: durable before they are acknowledged, stored once, always referred to."""

import uuid
from base64 import b64encode
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.media import MediaContent
from heliograph.domain.not_found import MediaNotFound
from heliograph.settings import Settings
from serve_apps.ingest.media import KeptMedia
from storage.objects import connection
from storage.objects.media import MediaObjects
from storage.postgres.connection import Database
from storage.postgres.media import ProjectMedia
from tests.unit.serve_apps.doors import PROTOBUF, TRACES, KeptInMemory, client, export, span

PROJECT = ProjectId("project-1")


def uri(file: MediaContent) -> str:
    return f"data:{file.content_type};base64,{b64encode(file.content).decode()}"


class Bench:
    """Sends spans through the door to these stores."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.postgres_dsn)
        self.kept = KeptInMemory()
        objects = MediaObjects.connect(settings)
        self._client = client(self.kept, media=KeptMedia(self.database, objects))

    async def send(self, *files: MediaContent) -> httpx.Response:
        spans = [span(number, input=uri(file)) for number, file in enumerate(files, 1)]
        return await self._client.post(TRACES, content=export(*spans), headers=PROTOBUF)

    def inputs(self) -> list[str]:
        return [text for batch in self.kept.batches for text in batch.observations["input"].to_pylist()]

    def stored(self, file: MediaContent) -> dict[str, Any]:
        client = connection.connect(self.settings.s3, self.settings.s3_url)
        key = f"media/{PROJECT}/{file.id}"
        return dict(client.get_object(Bucket=self.settings.s3.bucket, Key=key))


@pytest.fixture
def file() -> MediaContent:
    return MediaContent("image/png", uuid.uuid4().bytes)


def elsewhere(settings: Settings, engine: str, url: str) -> Settings:
    """The same with an engine where none is."""
    return settings.model_copy(update={engine: getattr(settings, engine).model_copy(update={"url": url})})


async def test_a_file_is_stored_with_its_type_and_read_through_the_api(migrated: Settings, file: MediaContent) -> None:
    bench = Bench(migrated)
    other = MediaContent("audio/wav", uuid.uuid4().bytes)
    assert (await bench.send(file, other, file)).status_code == 200
    for one in (file, other):
        stored = bench.stored(one)
        assert (stored["Body"].read(), stored["ContentType"]) == (one.content, one.content_type)
        known = await ProjectMedia(bench.database, PROJECT).get(one.id)
        assert (known.content_type, known.content_length) == (one.content_type, len(one.content))
    assert [f"id={one.id}" in text for one, text in zip((file, other, file), bench.inputs(), strict=True)] == [True] * 3
    await bench.database.close()


async def test_a_file_that_is_sent_again_is_not_stored_again(migrated: Settings, file: MediaContent) -> None:
    bench = Bench(migrated)
    await bench.send(file)
    client = connection.connect(migrated.s3, migrated.s3_url)
    client.put_object(Bucket=migrated.s3.bucket, Key=f"media/{PROJECT}/{file.id}", Body=b"untouched")
    await bench.send(file)
    assert bench.stored(file)["Body"].read() == b"untouched"
    assert len(bench.kept.batches) == 2
    await bench.database.close()


async def test_without_the_object_store_nothing_is_acknowledged(migrated: Settings, file: MediaContent) -> None:
    bench = Bench(elsewhere(migrated, "s3", "http://127.0.0.1:9"))
    refused = await bench.send(file)
    assert (refused.status_code, bench.kept.batches) == (503, [])
    again = Bench(migrated)
    assert (await again.send(file)).status_code == 200
    assert again.stored(file)["Body"].read() == file.content
    await bench.database.close()
    await again.database.close()


async def test_without_postgres_media_stay_in_their_payloads(migrated: Settings, file: MediaContent) -> None:
    bench = Bench(elsewhere(migrated, "postgres", "postgresql://nobody@127.0.0.1:9/none"))
    assert (await bench.send(file)).status_code == 200
    assert bench.inputs() == [uri(file)]
    with pytest.raises(ClientError):
        bench.stored(file)
    there = Database(migrated.postgres_dsn)
    with pytest.raises(MediaNotFound):
        await ProjectMedia(there, PROJECT).get(file.id)
    await there.close()
