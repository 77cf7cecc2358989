"""What changed in a project reaches its owner's bucket: the real stores, and a bucket of the embedded store."""

import asyncio
import csv
import gzip
import ipaddress
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet
import pytest

from heliograph.domain.blob_storage import (
    BlobStorageIntegration,
    BlobStorageKind,
    Bucket,
    ExportMode,
    ExportSource,
    FieldGroup,
    FileType,
    Frequency,
    NewBlobStorageIntegration,
    Period,
    SyncStatus,
    next_period,
)
from heliograph.domain.identifiers import OrganizationId
from heliograph.outbound import Network, Outbound
from pipelines.blob_exports import BlobExports
from storage.objects import connection as objects
from storage.postgres.blob_storage import BlobStorageIntegrations, BlobStorageSyncs
from storage.postgres.projects import Projects
from storage.seal import Seal
from tests.integration.actors.lane_bench import Bench
from tests.integration.clickhouse.stored import Stored

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
SEAL = Seal("a key")


class OwnSyncs(BlobStorageSyncs):
    """Those of one project: other tests leave theirs."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.database, SEAL)
        self._project_id = bench.project_id

    async def due(self, now: datetime) -> Sequence[BlobStorageIntegration]:
        return [one for one in await super().due(now) if one.project_id == self._project_id]


class Watched(Outbound):
    """Calls that tell when the first one is through."""

    def __init__(self, allowed: Sequence[Network], has_written: asyncio.Event) -> None:
        super().__init__(allowed)
        self._has_written = has_written

    async def put(self, *arguments: Any, **named: Any) -> None:
        await super().put(*arguments, **named)
        self._has_written.set()


@dataclass
class Owner:
    """A project with rows, and the bucket of its owner."""

    bench: Bench
    organization_id: OrganizationId
    stored: Stored
    now: datetime = NOW
    waiting: timedelta = timedelta(0)
    allowed: tuple[Network, ...] = LOOPBACK
    rows_per_file: int = 1_000
    has_written: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def prefix(self) -> str:
        return f"of-{self.bench.project_id}/"

    async def put(self, *, bucket: str = "", secret: str | None = None, **changed: Any) -> BlobStorageIntegration:
        """Keep an integration that writes to the embedded store, as one of somebody else's."""
        s3 = self.bench.settings.s3
        url = self.bench.settings.s3_url
        place = Bucket(
            BlobStorageKind.S3_COMPATIBLE, bucket or s3.bucket, s3.region,
            endpoint=url, access_key_id=s3.access_key, prefix=self.prefix, force_path_style=True,
        )  # fmt: skip
        declared: dict[str, Any] = {
            "enabled": True, "frequency": Frequency.HOURLY, "file_type": FileType.JSONL, "compressed": False,
            "mode": ExportMode.FULL_HISTORY, "source": ExportSource.OBSERVATIONS_V2, "field_groups": None,
        }  # fmt: skip
        new = NewBlobStorageIntegration(
            project_id=self.bench.project_id, bucket=place, secret_access_key=secret or s3.secret_key,
            **declared | changed,
        )  # fmt: skip
        return await self.integrations.put(new)

    @property
    def integrations(self) -> BlobStorageIntegrations:
        return BlobStorageIntegrations(self.bench.database, self.organization_id, SEAL)

    async def run(self) -> int:
        async def waiting() -> timedelta:
            return self.waiting

        outbound = Watched(self.allowed, self.has_written)
        exports = BlobExports(
            self.bench.settings, OwnSyncs(self.bench), outbound,
            waiting=waiting, clock=lambda: self.now, rows_per_file=self.rows_per_file,
        )  # fmt: skip
        try:
            return await exports.run()
        finally:
            await outbound.close()

    def files(self, table: str = "") -> dict[str, bytes]:
        """What lies in the bucket, by name without the table's folder."""
        settings = self.bench.settings
        client = objects.connect(settings.s3, settings.s3_url)
        folder = f"{self.prefix}{self.bench.project_id}/{table}".rstrip("/")
        listed = client.list_objects_v2(Bucket=settings.s3.bucket, Prefix=f"{folder}/").get("Contents", [])

        def content(key: str) -> bytes:
            return client.get_object(Bucket=settings.s3.bucket, Key=key)["Body"].read()

        return {one["Key"].removeprefix(f"{folder}/"): content(one["Key"]) for one in listed}

    def ids(self) -> list[str]:
        """The observations in the files, in their order, as often as they are there."""
        files = self.files("observations_v2")
        return [json.loads(line)["id"] for name in sorted(files) for line in files[name].splitlines()]

    def observe(self, key: str, updated_at: datetime, **values: Any) -> None:
        row = self.stored.observation(f"t-{key}", key, updated_at=updated_at, **{"start_time": updated_at} | values)
        self.stored.insert("observations", row)


@pytest.fixture
async def owner(owned: Bench) -> AsyncIterator[Owner]:
    project = await Projects(owned.database).create(owned.project_id, project_id=owned.project_id)
    stored = Stored(owned.settings)
    stored.project_id = owned.project_id
    yield Owner(owned, project.organization_id, stored)
    await stored.clickhouse.close()
    await Projects(owned.database).remove(owned.project_id)


async def test_every_change_is_written_once_and_a_row_that_changes_later_again(owner: Owner) -> None:
    owner.observe("first", NOW - 3 * HOUR)
    owner.observe("second", NOW - 2 * HOUR)
    owner.observe("fresh", NOW - timedelta(minutes=5))
    kept = await owner.put()
    assert await owner.run() == 1
    assert sorted(owner.ids()) == ["first", "second"]
    found = await owner.integrations.get(kept.id)
    assert found.progress.last_sync_at is not None
    assert (found.status(NOW), found.progress.next_sync_at) == (SyncStatus.UP_TO_DATE, NOW + HOUR)

    owner.now = NOW + 3 * HOUR
    # What was sent late, and began long ago.
    owner.observe("late", NOW + HOUR, start_time=NOW - timedelta(days=30))
    assert found.status(owner.now) is SyncStatus.QUEUED
    assert await owner.run() == 1
    assert sorted(owner.ids()) == ["first", "fresh", "late", "second"]


async def test_nothing_is_written_before_it_is_due(owner: Owner) -> None:
    owner.observe("one", NOW - 5 * HOUR)
    await owner.put()
    assert (await owner.run(), await owner.run()) == (1, 0)


async def test_rows_that_a_lane_still_holds_back_are_waited_for(owner: Owner) -> None:
    owner.observe("one", NOW - 3 * HOUR)
    owner.waiting = 2.5 * HOUR
    kept = await owner.put()
    await owner.run()
    assert owner.ids() == []
    # Meanwhile what the lane held is there, with the time at which it was sent.
    owner.observe("held", NOW - 2.4 * HOUR)
    owner.waiting, owner.now = timedelta(0), NOW + HOUR
    await owner.run()
    assert sorted(owner.ids()) == ["held", "one"]
    assert (await owner.integrations.get(kept.id)).progress.last_error is None


@pytest.mark.parametrize("file_type", list(FileType))
async def test_files_have_the_format_that_was_asked(owner: Owner, file_type: FileType) -> None:
    owner.observe("one", NOW - 3 * HOUR, name='größer, "so"', output="line\nline", tags=["a"], user_id="u")
    await owner.put(file_type=file_type, compressed=True)
    await owner.run()
    ((name, content),) = owner.files("observations_v2").items()
    ending = file_type.value.lower()
    assert name.endswith(f".{ending}" if file_type is FileType.PARQUET else f".{ending}.gz")
    if file_type is not FileType.PARQUET:
        content = gzip.decompress(content)
    match file_type:
        case FileType.JSON:
            (row,) = json.loads(content)
        case FileType.JSONL:
            (row,) = map(json.loads, content.splitlines())
        case FileType.CSV:
            (row,) = csv.DictReader(content.decode().splitlines(keepends=True))
        case FileType.PARQUET:
            (row,) = pyarrow.parquet.read_table(pyarrow.BufferReader(content)).to_pylist()
    assert (row["id"], row["name"], row["output"], row["user_id"]) == ("one", 'größer, "so"', "line\nline", "u")


async def test_sources_and_groups_choose_tables_and_columns(owner: Owner) -> None:
    moment = NOW - 3 * HOUR
    owner.observe("one", moment, output="secret")
    owner.stored.insert("traces", owner.stored.trace("t-one", timestamp=moment, updated_at=moment))
    owner.stored.insert("scores", owner.stored.score("s", timestamp=moment, updated_at=moment))
    both = ExportSource.LEGACY_TRACES_AND_ENRICHED_OBSERVATIONS
    await owner.put(source=both, field_groups=(FieldGroup.CORE, FieldGroup.TRACE_CONTEXT))
    await owner.run()
    folders = {name.split("/")[-2] for name in owner.files()}
    assert folders == {"traces", "observations", "observations_v2", "scores", "manifests"}
    (legacy,), (enriched,) = (owner.files(table).values() for table in ("observations", "observations_v2"))
    core = {"id", "trace_id", "start_time", "end_time", "parent_observation_id", "type"}
    assert (set(json.loads(legacy)), set(json.loads(enriched))) == (core, core | {"tags", "release", "trace_name"})


async def test_a_manifest_tells_of_each_period_what_was_written(owner: Owner) -> None:
    owner.rows_per_file = 1
    for number in range(3):
        owner.observe(f"o{number}", NOW - 3 * HOUR + timedelta(seconds=number))
    await owner.put()
    await owner.run()
    ((_, content),) = owner.files("manifests").items()
    manifest = json.loads(content)
    assert datetime.fromisoformat(manifest["after"]) < NOW - 3 * HOUR < datetime.fromisoformat(manifest["until"])
    assert sum(file["rows"] for file in manifest["files"]) == 3
    assert {file["bytes"] for file in manifest["files"]} == {
        len(one) for one in owner.files("observations_v2").values()
    }


async def test_only_rows_from_the_date_on_are_written(owner: Owner) -> None:
    owner.observe("new", NOW - 3 * HOUR)
    owner.observe("old", NOW - 3 * HOUR, start_time=NOW - timedelta(days=9))
    await owner.put(mode=ExportMode.FROM_CUSTOM_DATE, start=NOW - timedelta(days=1))
    await owner.run()
    assert owner.ids() == ["new"]


async def test_a_bucket_that_refuses_is_told_and_costs_nobody_a_row(owner: Owner) -> None:
    owner.observe("one", NOW - 3 * HOUR)
    kept = await owner.put(secret="wrong")
    assert await owner.run() == 0
    failed = await owner.integrations.get(kept.id)
    assert failed.status(NOW) is SyncStatus.ERROR
    assert "403" in (failed.progress.last_error or "")
    assert failed.progress.next_sync_at == NOW + timedelta(minutes=20)

    await owner.put()
    assert await owner.run() == 1
    mended = await owner.integrations.get(kept.id)
    assert (owner.ids(), mended.progress.last_error) == (["one"], None)


async def test_no_address_of_the_private_network_is_reached(owner: Owner) -> None:
    owner.observe("one", NOW - 3 * HOUR)
    owner.allowed = ()
    kept = await owner.put()
    assert await owner.run() == 0
    assert "private network" in ((await owner.integrations.get(kept.id)).progress.last_error or "")
    assert owner.files() == {}


async def test_one_that_was_killed_in_the_middle_writes_the_same_files_again(owner: Owner) -> None:
    for number in range(4):
        owner.observe(f"o{number}", NOW - 5 * HOUR + number * HOUR)
    kept = await owner.put()
    running = asyncio.create_task(owner.run())
    await owner.has_written.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await owner.integrations.get(kept.id)).status(NOW) is SyncStatus.RUNNING
    await owner.run()
    assert sorted(owner.ids()) == ["o0", "o1", "o2", "o3"]


def test_a_long_way_is_gone_by_days() -> None:
    start = NOW - timedelta(days=10)
    assert next_period(Frequency.HOURLY, start, NOW) == Period(start, start + timedelta(days=1))
    assert next_period(Frequency.HOURLY, NOW - 2 * HOUR, NOW) == Period(NOW - 2 * HOUR, NOW - HOUR)
    assert next_period(Frequency.HOURLY, NOW - HOUR / 2, NOW) is None
    assert next_period(Frequency.WEEKLY, start, NOW) == Period(start, start + timedelta(days=7))
