"""Recosts and exports as the API takes and shows them."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from heliograph.domain.backfills import Backfill, BackfillProgress, PartReport
from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.recosts import ModelCosts, RecostRequest, report_of
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.values import iso, optional_iso


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


def backfill_shape(backfill: Backfill, reports: Mapping[int, PartReport]) -> dict[str, Any]:
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


def recost_shape(backfill: Backfill, reports: Mapping[int, PartReport]) -> dict[str, Any]:
    """A recost: costs before and after in US dollars, of all parts that were examined so far."""
    report = report_of(reports)
    return backfill_shape(backfill, reports) | {
        "dryRun": backfill.is_trial,
        "models": {name: _costs(costs) for name, costs in sorted(report.models.items())},
        "total": _costs(report.total),
        "observationsStored": report.written,
        "observationsNewer": report.newer,
        "tracesStored": report.traces,
    }


def _costs(costs: ModelCosts) -> dict[str, Any]:
    return {
        "observations": costs.rows,
        "changed": costs.changed,
        "costBefore": costs.before / UNITS_PER_DOLLAR,
        "costAfter": costs.after / UNITS_PER_DOLLAR,
    }
