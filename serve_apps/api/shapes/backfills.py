"""Recosts and exports as the API takes and shows them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from heliograph.domain.backfills import Backfill, BackfillProgress, PartReport
from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.exports import MANIFEST, ExportedFile, ExportFormat, manifest_of
from heliograph.domain.recosts import ModelCosts, RecostRequest, report_of
from heliograph.domain.selections import SelectedTable
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.values import Instant, JsonObject, JsonShape, iso, optional_iso


class RecostBody(BaseModel):
    """Which calls to price anew; unknown fields are refused, since one that is misspelt would recost everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    model: Annotated[Text, Field(max_length=500)] = ""
    dry_run: Annotated[bool, Field(alias="dryRun")] = False

    @property
    def asked(self) -> RecostRequest:
        """What it asks for."""
        return RecostRequest(self.since, self.until, self.model)


class _BackfillFields(JsonShape):
    id: str
    asked: JsonObject
    status: Literal["running", "done", "failed"]
    error: str | None
    parts: int | None
    partsExamined: int
    partsDone: int
    createdAt: Instant
    finishedAt: Instant | None


class BackfillShape(_BackfillFields):
    """Work over what is stored: what was asked, and how many of its parts are done; none are known before it is cut."""


class CostsShape(JsonShape):
    """Calls, those whose cost changes, and their cost before and after in US dollars."""

    observations: int
    changed: int
    costBefore: float
    costAfter: float


class RecostShape(_BackfillFields):
    """A recost: costs before and after of all parts that were examined so far, and what was stored."""

    dryRun: bool
    models: dict[str, CostsShape]
    total: CostsShape
    observationsStored: int
    observationsNewer: int
    tracesStored: int


class LinkShape(JsonShape):
    """Where a file is fetched, and until when."""

    url: str
    urlExpiry: Instant


class ExportedFileShape(JsonShape):
    """A file of an export: its name with the day in it, its rows, bytes and SHA-256 in hexadecimal."""

    name: str
    rows: int
    bytes: int
    sha256: str
    url: str
    urlExpiry: Instant


class ExportShape(_BackfillFields):
    """An export with its files; the manifest is written last."""

    table: SelectedTable
    format: ExportFormat
    columns: dict[str, str]
    rows: int
    files: Sequence[ExportedFileShape]
    manifest: LinkShape | None


def backfill_shape(backfill: Backfill, reports: Mapping[int, PartReport]) -> BackfillShape:
    """What every backfill shows."""
    progress = BackfillProgress.of(backfill, reports)
    return {
        "id": backfill.id,
        "asked": dict(backfill.asked),
        "status": "failed" if backfill.error else "done" if backfill.finished_at else "running",
        "error": backfill.error or None,
        "parts": progress.parts if backfill.parts is not None else None,
        "partsExamined": progress.examined,
        "partsDone": progress.done,
        "createdAt": iso(backfill.created_at),
        "finishedAt": optional_iso(backfill.finished_at),
    }


def export_shape(
    backfill: Backfill, reports: Mapping[int, PartReport], link: Callable[[str], LinkShape]
) -> ExportShape:
    """An export; `link` tells where a file of a name is fetched."""
    manifest = manifest_of(backfill, reports)
    return {
        **backfill_shape(backfill, reports),
        "table": SelectedTable(manifest.table),
        "format": ExportFormat(manifest.format),
        "columns": dict(manifest.columns),
        "rows": manifest.rows,
        "files": [_file(file, link(file.name)) for file in manifest.files],
        "manifest": link(MANIFEST) if backfill.finished_at and not backfill.error else None,
    }


def _file(file: ExportedFile, link: LinkShape) -> ExportedFileShape:
    return {"name": file.name, "rows": file.rows, "bytes": file.bytes, "sha256": file.sha256, **link}


def recost_shape(backfill: Backfill, reports: Mapping[int, PartReport]) -> RecostShape:
    """A recost: costs before and after in US dollars, of all parts that were examined so far."""
    report = report_of(reports)
    return {
        **backfill_shape(backfill, reports),
        "dryRun": backfill.is_trial,
        "models": {name: _costs(costs) for name, costs in sorted(report.models.items())},
        "total": _costs(report.total),
        "observationsStored": report.written,
        "observationsNewer": report.newer,
        "tracesStored": report.traces,
    }


def _costs(costs: ModelCosts) -> CostsShape:
    return {
        "observations": costs.rows,
        "changed": costs.changed,
        "costBefore": costs.before / UNITS_PER_DOLLAR,
        "costAfter": costs.after / UNITS_PER_DOLLAR,
    }
