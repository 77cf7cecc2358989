"""Media through the API and presigned URLs, as the contract's clients use them."""

import asyncio
import hashlib
import uuid
from base64 import b64encode
from typing import Any

import httpx
import pytest
from langfuse.api.core.pydantic_utilities import parse_obj_as
from langfuse.api.media.types import GetMediaResponse

from heliograph.domain.media import MediaDescription, media_id_of
from heliograph.settings import Settings
from serve_apps.api.dependencies import QueryDependencies
from serve_apps.query_api import query_application
from storage.postgres.connection import Database
from storage.postgres.projects import Projects
from storage.postgres.prompt_cache import PromptCache
from tests.integration.api.conftest import SECRET, Api, OneKey, administration, deletion_requests, direct_media

CONTENT = b"\x89PNG and so on"


def announced(content: bytes = CONTENT, **changes: Any) -> dict[str, Any]:
    """What SDK 5 sends, nulls included."""
    sha256 = b64encode(hashlib.sha256(content).digest()).decode()
    body = {
        "traceId": "t", "observationId": None, "datasetId": None, "datasetItemId": None, "field": "input",
        "contentType": "image/png", "contentLength": len(content), "sha256Hash": sha256,
    }  # fmt: skip
    return body | changes


async def announce(api: Api, content: bytes = CONTENT, **changes: Any) -> tuple[str, str | None]:
    answer = await api.client.post("/media", json=announced(content, **changes))
    assert answer.status_code == 201, answer.text
    return answer.json()["mediaId"], answer.json()["uploadUrl"]


async def put(url: str, content: bytes, **headers: str) -> httpx.Response:
    """An upload as SDK 5 makes it: with no authorization but the URL's own."""
    sent = {
        "content-type": "image/png",
        "x-amz-checksum-sha256": b64encode(hashlib.sha256(CONTENT).digest()).decode(),
        "x-ms-blob-type": "BlockBlob",
    }
    async with httpx.AsyncClient() as client:
        return await client.put(url, content=content, headers=sent | headers)


async def told(api: Api, media_id: str, status: int = 200, **more: Any) -> httpx.Response:
    body = {"uploadedAt": "2026-11-20T12:00:00.000Z", "uploadHttpStatus": status, "uploadTimeMs": 5, **more}
    return await api.client.patch(f"/media/{media_id}", json=body)


async def uploaded(api: Api) -> str:
    media_id, url = await announce(api)
    assert url is not None
    assert (await put(url, CONTENT)).status_code == 200
    assert (await told(api, media_id)).status_code == 200
    return media_id


async def test_a_file_is_uploaded_and_read_back(api: Api) -> None:
    media_id = await uploaded(api)

    assert media_id == media_id_of(hashlib.sha256(CONTENT).digest())
    found = parse_obj_as(GetMediaResponse, (await api.client.get(f"/media/{media_id}")).json())
    assert (found.media_id, found.content_type, found.content_length) == (media_id, "image/png", len(CONTENT))
    assert found.uploaded_at.isoformat() == "2026-11-20T12:00:00+00:00"
    async with httpx.AsyncClient() as client:
        read = await client.get(found.url)
    assert (read.status_code, read.content, read.headers["content-type"]) == (200, CONTENT, "image/png")


async def test_what_the_project_has_is_not_uploaded_again(api: Api) -> None:
    media_id = await uploaded(api)

    assert await announce(api, traceId="other", observationId="o", field="output") == (media_id, None)
    _, url = await announce(api, contentType="image/jpeg")
    assert url is not None


async def test_nothing_is_there_before_it_was_uploaded(api: Api) -> None:
    media_id, _ = await announce(api)

    assert (await api.client.get(f"/media/{media_id}")).status_code == 404
    early = await told(api, media_id)
    assert (early.status_code, early.json()["error"]) == (400, "InvalidRequestError")
    assert (await told(api, media_id, 403, uploadHttpError="Forbidden")).status_code == 200
    missing = await api.client.get(f"/media/{media_id}")
    assert (missing.status_code, missing.json()["error"]) == (404, "LangfuseNotFoundError")
    assert (await told(api, "unknown")).status_code == 404
    assert (await told(api, "unknown", 500)).status_code == 404


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"\x89PNG and so om", {}),
        (b"\x89PNG and so om", {"x-amz-checksum-sha256": b64encode(hashlib.sha256(b"\x89PNG and so om").digest())}),
        (CONTENT + b"!", {}),
        (CONTENT, {"content-type": "text/html"}),
    ],
)
async def test_an_upload_of_anything_else_is_refused(api: Api, content: bytes, headers: dict[str, Any]) -> None:
    media_id, url = await announce(api)
    assert url is not None
    refused = await put(url, content, **headers)
    assert 400 <= refused.status_code < 500
    assert (await told(api, media_id)).status_code == 400


async def test_a_url_is_good_for_its_file_and_its_method_only(api: Api) -> None:
    media_id, url = await announce(api)
    assert url is not None
    assert (await put(url.replace(media_id, "x" * 22), CONTENT)).status_code == 403
    async with httpx.AsyncClient() as client:
        assert (await client.get(url)).status_code == 403
        assert (await client.get(url.split("?")[0])).status_code == 403


async def test_an_expired_url_is_refused(api: Api, settings: Settings) -> None:
    bounds = settings.media.model_copy(update={"url_seconds": 1})
    media = direct_media(settings.model_copy(update={"media": bounds}))
    sha256 = hashlib.sha256(CONTENT).digest()
    url = media.upload_url(api.project.id, MediaDescription(media_id_of(sha256), "image/png", len(CONTENT), sha256))
    async with asyncio.timeout(10):
        while (await put(url, CONTENT)).status_code != 403:
            pass


async def test_another_project_sees_nothing_of_it_and_uploads_its_own(api: Api, settings: Settings) -> None:
    media_id = await uploaded(api)
    database = Database(settings.postgres_dsn)
    other = await Projects(database).create(f"project {uuid.uuid4()}", organization_name="The organization")
    deletes = deletion_requests(database, api.tombstones)
    app = query_application(
        QueryDependencies(
            api.stored.clickhouse,
            database,
            OneKey(other),
            deletes,
            direct_media(settings),
            PromptCache(database),
            administration(database),
        )
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://there", auth=("pk-lf-1", SECRET)) as client:
        assert (await client.get(f"/media/{media_id}")).status_code == 404
        body = {"uploadedAt": "2026-11-20T12:00:00Z", "uploadHttpStatus": 500}
        assert (await client.patch(f"/media/{media_id}", json=body)).status_code == 404
        answer = (await client.post("/media", json=announced())).json()
        assert answer["mediaId"] == media_id
        assert f"/{other.id}/" in answer["uploadUrl"]
    assert (await api.client.get(f"/media/{media_id}")).status_code == 200
    await database.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"contentType": "evil/type"},
        {"contentLength": 0},
        {"contentLength": 1_000_000_001},
        {"sha256Hash": "short"},
        {"sha256Hash": "?" * 44},
        {"sha256Hash": "A" * 44},
        {"field": "name"},
        {"field": "expectedOutput"},
        {"traceId": None},
        {"traceId": "a\0b"},
        {"datasetId": "d"},
        {"traceId": None, "datasetId": "d"},
        {"traceId": None, "datasetId": "d", "datasetItemId": "i", "field": "output"},
    ],
)
async def test_what_breaks_a_rule_is_refused(api: Api, changes: dict[str, Any]) -> None:
    answer = await api.client.post("/media", json=announced(**changes))
    assert answer.status_code == 400
    assert answer.json()["message"]


async def test_items_of_datasets_refer_to_media_too(api: Api) -> None:
    media_id, url = await announce(
        api, traceId=None, datasetId="d", datasetItemId="i", field="expectedOutput", contentType="application/pdf"
    )
    assert url is not None
    assert media_id


async def test_media_need_the_secret_key(api: Api) -> None:
    wrong = ("pk-lf-1", "wrong")
    assert (await api.client.post("/media", json=announced(), auth=wrong)).status_code == 401
    assert (await api.client.get("/media/x", auth=wrong)).status_code == 401
