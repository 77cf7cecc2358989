"""Chores on a whole stack: the maintenance actor deletes what is too old, and writes what changed to a bucket."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from heliograph.domain.access import OfOrganization
from heliograph.domain.identifiers import OrganizationId
from storage.objects import connection as objects
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.projects import Projects
from tests.acceptance.stack import Stack, running
from tests.acceptance.test_media import until
from tests.integration.clickhouse.stored import Stored

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(900)]

# What changed less than twenty minutes ago waits for the next export.
SETTLED = timedelta(minutes=40)


@dataclass(frozen=True)
class Owner:
    """A project of the stack, and clients with its key and its organization's."""

    stack: Stack
    project_id: str
    client: httpx.Client
    organization: httpx.Client

    def trace_ids(self) -> set[str]:
        return {trace["id"] for trace in self.client.get("/traces").raise_for_status().json()["data"]}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that looks every few seconds for what is too old."""
    chosen = {"MAINTENANCE__RETAIN_EVERY_SECONDS": "3", "OUTBOUND__ALLOWED_NETWORKS": '["127.0.0.0/8"]'}
    own = {f"HELIOGRAPH_{name}": value for name, value in chosen.items()}
    with running(tmp_path_factory.mktemp("chores"), **own) as up:
        yield up


@pytest.fixture
def owner(stack: Stack) -> Iterator[Owner]:
    project_id, own, whole = asyncio.run(_project(stack))
    url = f"{stack.settings.url}/api/public"
    with (
        httpx.Client(base_url=url, auth=own, timeout=30) as client,
        httpx.Client(base_url=url, auth=whole, timeout=30) as organization,
    ):
        yield Owner(stack, project_id, client, organization)


async def _project(stack: Stack) -> tuple[str, tuple[str, str], tuple[str, str]]:
    database = Database(stack.settings.postgres_dsn)
    project = await Projects(database).create(f"chores {time.time_ns()}")
    keys = ApiKeys(database, stack.settings.pepper)
    own = await keys.create(project.id)
    whole = await keys.create(OfOrganization(OrganizationId(project.organization_id)))
    await database.close()
    return project.id, (own.public_key, own.secret_key), (whole.public_key, whole.secret_key)


def test_what_is_older_than_a_project_keeps_is_deleted(owner: Owner) -> None:
    ages = {"old": timedelta(days=5), "young": timedelta(days=1)}
    times = {name: (datetime.now(UTC) - age).isoformat() for name, age in ages.items()}
    batch = [
        {"id": name, "type": "trace-create", "timestamp": at, "body": {"id": name, "timestamp": at}}
        for name, at in times.items()
    ]
    assert owner.client.post("/ingestion", json={"batch": batch}).json()["errors"] == []
    until(lambda: owner.trace_ids() == {"old", "young"})

    kept = {"name": f"keeps {time.time_ns()}", "retention": 3}
    owner.organization.put(f"/projects/{owner.project_id}", json=kept).raise_for_status()

    until(lambda: owner.trace_ids() == {"young"})


def test_what_changed_is_written_to_the_owners_bucket(owner: Owner) -> None:
    at = datetime.now(UTC) - SETTLED
    stored = Stored(owner.stack.settings)
    stored.project_id = owner.project_id  # type: ignore[assignment]
    stored.insert("observations", stored.observation("t", "settled", start_time=at, updated_at=at, output="so"))
    s3 = owner.stack.settings.s3
    declared = {
        "projectId": owner.project_id, "type": "S3_COMPATIBLE", "bucketName": s3.bucket, "region": s3.region,
        "endpoint": owner.stack.settings.s3_url, "accessKeyId": s3.access_key, "secretAccessKey": s3.secret_key,
        "prefix": "of-the-owner/", "exportFrequency": "every_20_minutes", "enabled": True, "forcePathStyle": True,
        "fileType": "JSONL", "compressed": False, "exportMode": "FULL_HISTORY", "exportSource": "OBSERVATIONS_V2",
    }  # fmt: skip

    made = owner.organization.put("/integrations/blob-storage", json=declared).raise_for_status().json()

    assert until(lambda: written(owner), 150)[0]["id"] == "settled"
    status = owner.organization.get(f"/integrations/blob-storage/{made['id']}").raise_for_status().json()
    assert (status["enabled"], status["lastError"]) == (True, None)


def written(owner: Owner) -> list[dict[str, Any]]:
    """The rows in the files of the bucket."""
    settings = owner.stack.settings
    client = objects.connect(settings.s3, settings.s3_url)
    folder = f"of-the-owner/{owner.project_id}/observations_v2/"
    listed = client.list_objects_v2(Bucket=settings.s3.bucket, Prefix=folder).get("Contents", [])
    texts = [client.get_object(Bucket=settings.s3.bucket, Key=one["Key"])["Body"].read() for one in listed]
    return [json.loads(line) for text in texts for line in text.splitlines()]
