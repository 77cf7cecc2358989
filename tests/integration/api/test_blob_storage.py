"""Blob storage integrations through the API, with the key of the organization."""

import uuid
from typing import Any

import httpx
import pytest
from langfuse.api import BlobStorageIntegrationResponse, BlobStorageIntegrationsResponse
from langfuse.api import BlobStorageIntegrationStatusResponse as SdkStatus
from langfuse.api.core.pydantic_utilities import parse_obj_as
from sqlalchemy import text

from storage.postgres.projects import Projects
from tests.integration.api.conftest import ORGANIZATION_KEY, SECRET, Api

PATH = "/integrations/blob-storage"
DECLARED = {
    "type": "S3_COMPATIBLE",
    "bucketName": "warehouse",
    "endpoint": "https://store.example.org",
    "region": "auto",
    "accessKeyId": "AKIA1",
    "secretAccessKey": "very secret",
    "prefix": "heliograph/",
    "exportFrequency": "hourly",
    "enabled": True,
    "forcePathStyle": True,
    "fileType": "JSONL",
    "exportMode": "FROM_TODAY",
}


async def ask(api: Api, method: str, path: str = PATH, body: Any = None) -> httpx.Response:
    return await api.client.request(method, path, json=body, auth=(ORGANIZATION_KEY, SECRET))


async def put(api: Api, **changed: Any) -> httpx.Response:
    body = {**DECLARED, "projectId": api.project.id, **changed}
    return await ask(api, "PUT", body={name: value for name, value in body.items() if value is not ...})


@pytest.fixture
async def kept(api: Api) -> dict[str, Any]:
    answer = await put(api)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_an_integration_is_shown_without_its_secret(api: Api, kept: dict[str, Any]) -> None:
    shown = parse_obj_as(BlobStorageIntegrationResponse, kept)
    assert (shown.bucket_name, shown.prefix, shown.access_key_id) == ("warehouse", "heliograph/", "AKIA1")
    assert (shown.export_source, shown.compressed) == ("LEGACY_TRACES_OBSERVATIONS", True)
    listed = await ask(api, "GET")
    assert shown in parse_obj_as(BlobStorageIntegrationsResponse, listed.json()).data
    assert "very secret" not in listed.text
    async with api.database.transaction() as session:
        stored = str((await session.execute(text("SELECT * FROM blob_storage_integrations"))).all())
    assert "very secret" not in stored


async def test_its_status_says_that_it_has_not_begun_and_that_it_is_off(api: Api, kept: dict[str, Any]) -> None:
    path = f"{PATH}/{kept['id']}"
    fresh = parse_obj_as(SdkStatus, (await ask(api, "GET", path)).json())
    assert (fresh.sync_status, fresh.last_sync_at, fresh.last_error) == ("idle", None, None)
    assert (await put(api, enabled=False)).status_code == 200
    assert (await ask(api, "GET", path)).json()["syncStatus"] == "disabled"


async def test_a_change_keeps_the_id_the_secret_the_source_and_the_groups(api: Api, kept: dict[str, Any]) -> None:
    chosen = {"exportSource": "OBSERVATIONS_V2", "exportFieldGroups": ["core", "io"]}
    assert (await put(api, **chosen)).status_code == 200
    changed = (await put(api, bucketName="other", secretAccessKey=...)).json()
    assert (changed["id"], changed["bucketName"]) == (kept["id"], "other")
    assert (changed["exportSource"], changed["exportFieldGroups"]) == ("OBSERVATIONS_V2", ["core", "io"])


async def test_one_is_removed(api: Api, kept: dict[str, Any]) -> None:
    removed = await ask(api, "DELETE", f"{PATH}/{kept['id']}")
    assert (removed.status_code, removed.json()) == (200, {"message": "Blob storage integration successfully deleted"})
    assert (await ask(api, "GET", f"{PATH}/{kept['id']}")).status_code == 404
    assert (await ask(api, "DELETE", f"{PATH}/{kept['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"prefix": "no-slash"}, "prefix"),
        ({"region": "-eu"}, "region"),
        ({"bucketName": "a/b"}, "bucketName"),
        ({"endpoint": ...}, "endpoint"),
        ({"type": "S3", "endpoint": ...}, "region"),
        ({"endpoint": "http://10.1.2.3:9000"}, "endpoint"),
        ({"endpoint": "http://169.254.169.254/latest"}, "endpoint"),
        ({"endpoint": "ftp://store.example.org"}, "endpoint"),
        ({"type": "AZURE_BLOB_STORAGE"}, "type"),
        ({"exportMode": "FROM_CUSTOM_DATE"}, "exportStartDate"),
        ({"exportMode": "FROM_CUSTOM_DATE", "exportStartDate": "2999-01-01T00:00:00Z"}, "exportStartDate"),
        ({"exportFieldGroups": ["core"]}, "exportFieldGroups"),
        ({"exportSource": "OBSERVATIONS_V2", "exportFieldGroups": ["io"]}, "exportFieldGroups"),
        ({"secretAccessKey": ...}, "secretAccessKey"),
    ],
)
async def test_what_does_not_go_together_is_refused_with_its_name(
    api: Api, changed: dict[str, Any], field: str
) -> None:
    made = await ask(api, "POST", "/projects", {"name": f"p {uuid.uuid4()}"})
    answer = await put(api, **changed, projectId=made.json()["id"])
    assert (answer.status_code, field in answer.text) == (400, True), answer.text


async def test_another_organizations_project_is_not_there(api: Api, kept: dict[str, Any]) -> None:
    theirs = await Projects(api.database).create("theirs", organization_name=f"other {uuid.uuid4()}")
    assert (await put(api, projectId=theirs.id)).status_code == 404
    listed = (await ask(api, "GET")).json()["data"]
    assert kept in listed
    assert theirs.id not in {one["projectId"] for one in listed}
