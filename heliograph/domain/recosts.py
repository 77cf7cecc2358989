"""Recosts: stored calls priced anew, and what that changes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

import pyarrow as pa

from heliograph.domain.backfills import PartReport
from heliograph.domain.tables import OBSERVATIONS

# What a price decides of an observation.
COST_COLUMNS = ("model_id", "cost_details", "total_cost", "pricing_tier", "unpriced_usage")
PLACE_COLUMNS = ("trace_id", "id", "placed_at", "row_version")
# A row that is priced anew: where it lies, which of its versions, and its new costs.
REPRICED = pa.schema([OBSERVATIONS.field(name) for name in (*PLACE_COLUMNS, *COST_COLUMNS)])


@dataclass(frozen=True)
class RecostRequest:
    """Which calls: begun from `start` on and before `end`, of the model that was reported; None and '' for any."""

    start: datetime | None = None
    end: datetime | None = None
    model: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"start": _text(self.start), "end": _text(self.end), "model": self.model}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(_moment(found["start"]), _moment(found["end"]), found["model"])


@dataclass(frozen=True)
class ModelCosts:
    """Of one model: calls, those whose cost changes, and their cost before and after in 10⁻¹² dollars."""

    rows: int = 0
    changed: int = 0
    before: int = 0
    after: int = 0

    def __add__(self, other: "ModelCosts") -> "ModelCosts":
        return ModelCosts(
            self.rows + other.rows,
            self.changed + other.changed,
            self.before + other.before,
            self.after + other.after,
        )


@dataclass(frozen=True)
class RecostReport:
    """What was found, by the model that was reported, and what was stored; reports of parts add up.

    Attributes:
        models: calls without provided costs; those keep what was provided.
        written: observations that were stored with their new cost.
        newer: those that were stored anew or deleted meanwhile.
        traces: how many were rolled up anew.
    """

    models: Mapping[str, ModelCosts] = field(default_factory=dict)
    written: int = 0
    newer: int = 0
    traces: int = 0

    def __add__(self, other: "RecostReport") -> "RecostReport":
        names = dict.fromkeys((*self.models, *other.models))
        nothing = ModelCosts()
        return RecostReport(
            {name: self.models.get(name, nothing) + other.models.get(name, nothing) for name in names},
            self.written + other.written,
            self.newer + other.newer,
            self.traces + other.traces,
        )

    @property
    def total(self) -> ModelCosts:
        """Of all models."""
        return sum(self.models.values(), ModelCosts())

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        models = {name: ModelCosts(**costs) for name, costs in found.get("models", {}).items()}
        return cls(**{**found, "models": models})


def report_of(reports: Mapping[int, PartReport]) -> RecostReport:
    """What all parts have reported so far."""
    told = [one for report in reports.values() for one in (report.found, report.stored) if one]
    return sum(map(RecostReport.from_json, told), RecostReport())


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
