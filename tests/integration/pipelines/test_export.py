"""Exports from the real stores: files by day, with a manifest that says what they hold."""

import hashlib
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow.csv
import pyarrow.parquet
import pytest
from sqlalchemy import text

from heliograph.domain.backfills import Backfill, BackfillKind
from heliograph.domain.exports import MANIFEST, ExportFormat, ExportRequest, Manifest, manifest_of
from heliograph.domain.filters import TextCondition
from heliograph.domain.not_found import BackfillNotFound
from heliograph.domain.selections import SelectedTable
from pipelines import export
from pipelines.expired_exports import remove_expired_exports
from storage.objects import connection as objects
from storage.postgres.backfills import Backfills, ProjectBackfills
from storage.postgres.organization_projects import OrganizationProjects
from storage.postgres.projects import Projects
from tests.integration.actors.lane_bench import Bench
from tests.integration.clickhouse.stored import Stored

DAY = datetime(2026, 11, 20, 23, tzinfo=UTC)


@dataclass
class Exports:
    """A project with two days of observations, and exports of it without Ray."""

    bench: Bench

    async def begun(self, asked: ExportRequest) -> Backfill:
        """An export that is cut."""
        own = ProjectBackfills(self.bench.database, self.bench.project_id)
        begun = await own.begin(BackfillKind.EXPORT, asked.model_dump(mode="json"), is_trial=False)
        return await Backfills(self.bench.database).cut(begun.id, export.WORK.cut(self.bench.settings, begun))

    async def exported(self, asked: ExportRequest) -> tuple[Manifest, list[bytes]]:
        """The manifest, and the contents of the files."""
        backfill = await self.begun(asked)
        for number in range(len(backfill.parts or ())):
            await export.write(self.bench.settings, backfill, number)
        reports = await Backfills(self.bench.database).reports(backfill.id)
        await export.conclude(self.bench.settings, backfill, reports)
        await Backfills(self.bench.database).finish(backfill.id)
        manifest = Manifest.from_json(json.loads(self.read(backfill, MANIFEST)))
        assert manifest == manifest_of(backfill, reports)
        return manifest, [self.read(backfill, file.name) for file in manifest.files]

    def read(self, backfill: Backfill, name: str) -> bytes:
        """A file as it lies in the object store."""
        settings = self.bench.settings
        key = f"media/{backfill.project_id}/exports/{backfill.id}/{name}"
        found = objects.connect(settings.s3, settings.s3_url).get_object(Bucket=settings.s3.bucket, Key=key)
        return found["Body"].read()

    def files(self, backfill: Backfill) -> list[str]:
        """The names of what lies in the object store."""
        settings, prefix = self.bench.settings, f"media/{backfill.project_id}/exports/{backfill.id}/"
        client = objects.connect(settings.s3, settings.s3_url)
        found = client.list_objects_v2(Bucket=settings.s3.bucket, Prefix=prefix)
        return [one["Key"].removeprefix(prefix) for one in found.get("Contents", ())]

    async def aged(self, backfill: Backfill, by: timedelta) -> None:
        """Make it end so much earlier."""
        ending = text("UPDATE backfills SET finished_at = finished_at - :by WHERE id = :id")
        async with self.bench.database.transaction() as session:
            await session.execute(ending, {"by": by, "id": backfill.id})


@pytest.fixture
async def exports(bench: Bench) -> AsyncIterator[Exports]:
    await Projects(bench.database).create(bench.project_id, project_id=bench.project_id)
    stored = Stored(bench.settings)
    stored.project_id = bench.project_id
    for number in range(6):
        start = DAY + timedelta(minutes=20 * number)
        name = "even" if number % 2 == 0 else "odd"
        stored.insert("observations", stored.observation(f"t{number}", f"o{number}", start_time=start, name=name))
    yield Exports(bench)
    await stored.clickhouse.close()


async def test_files_lie_by_day_and_the_manifest_tells_their_rows_checksums_and_columns(exports: Exports) -> None:
    asked = ExportRequest(table=SelectedTable.OBSERVATIONS, select=("id", "start_time", "input"))
    manifest, contents = await exports.exported(asked)
    assert [file.name for file in manifest.files] == [
        "observations/day=2026-11-20/part-00000.parquet",
        "observations/day=2026-11-21/part-00001.parquet",
    ]
    assert [file.sha256 for file in manifest.files] == [hashlib.sha256(content).hexdigest() for content in contents]
    assert [file.rows for file in manifest.files] == [3, 3]
    assert list(manifest.columns) == ["id", "start_time", "input"]
    rows = [row for content in contents for row in pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()]
    assert sorted(row["id"] for row in rows) == [f"o{number}" for number in range(6)]


@pytest.mark.parametrize("format_", [ExportFormat.CSV, ExportFormat.JSONL])
async def test_the_other_formats_hold_the_same_rows(exports: Exports, format_: ExportFormat) -> None:
    asked = ExportRequest(table=SelectedTable.OBSERVATIONS, format=format_, select=("id", "metadata"))
    _, contents = await exports.exported(asked)
    if format_ is ExportFormat.CSV:
        ids = [one for content in contents for one in pyarrow.csv.read_csv(io.BytesIO(content))["id"].to_pylist()]
    else:
        ids = [json.loads(line)["id"] for content in contents for line in content.splitlines()]
    assert sorted(ids) == [f"o{number}" for number in range(6)]


async def test_a_filter_and_a_period_choose_rows_and_a_day_without_any_has_no_file(exports: Exports) -> None:
    even = TextCondition(column="name", type="string", operator="=", value="even")
    asked = ExportRequest(table=SelectedTable.OBSERVATIONS, until=DAY + timedelta(hours=1), where=even)
    manifest, _ = await exports.exported(asked)
    assert [(file.name[-18:], file.rows) for file in manifest.files] == [("part-00000.parquet", 2)]
    none = asked.model_copy(update={"where": TextCondition(column="name", type="string", operator="=", value="none")})
    manifest, _ = await exports.exported(none)
    assert list(manifest.files) == []


async def test_an_export_that_was_cut_short_goes_on_with_the_parts_that_are_not_written(exports: Exports) -> None:
    asked = ExportRequest(table=SelectedTable.OBSERVATIONS)
    backfill = await exports.begun(asked)
    await export.write(exports.bench.settings, backfill, 0)
    again = await exports.begun(asked)
    assert (again.id, again.parts) == (backfill.id, backfill.parts)
    reports = await Backfills(exports.bench.database).reports(again.id)
    (step,) = export.WORK.steps
    assert [number for number, report in reports.items() if step.is_done(report)] == [0]


async def test_an_export_is_kept_for_days_and_ends_with_its_project(exports: Exports) -> None:
    settings, project_id = exports.bench.settings, exports.bench.project_id
    made = [await exports.begun(ExportRequest(table=table)) for table in SelectedTable]
    for one in made:
        await export.conclude(settings, one, {})
        await Backfills(exports.bench.database).finish(one.id)
    old, young = made[:2]
    await exports.aged(old, timedelta(days=8))
    await remove_expired_exports(settings)
    assert (exports.files(old), exports.files(young)) == ([], [MANIFEST])
    with pytest.raises(BackfillNotFound):
        await ProjectBackfills(exports.bench.database, project_id).get(BackfillKind.EXPORT, old.id)
    organization = (await Projects(exports.bench.database).get(project_id)).organization_id
    await OrganizationProjects(exports.bench.database, organization).end(project_id)
    await remove_expired_exports(settings)
    assert exports.files(young) == []
