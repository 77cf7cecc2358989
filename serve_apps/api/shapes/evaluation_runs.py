"""Evaluation runs as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from heliograph.domain.evaluation_runs import (
    MAX_BUDGET_USD,
    Estimate,
    EvaluationPart,
    EvaluationRun,
    EvaluatorSpec,
    Failure,
    OnExisting,
    Place,
    RunMode,
    RunProgress,
    RunReport,
    RunState,
)
from heliograph.domain.rule_specs import TargetKey
from heliograph.domain.selections import SelectedTable, Selection
from heliograph.domain.wire import Storable
from serve_apps.api.shapes.values import Instant, JsonObject, JsonShape, SchemaOf

# As PostgreSQL counts.
PartNumber = Annotated[int, Field(ge=0, lt=1 << 31)]


class ResumeBody(BaseModel):
    """How a run goes on; the budget, where it is given, is the new one of the whole run."""

    model_config = ConfigDict(extra="forbid")

    budget_usd: float | None = Field(default=None, ge=0, le=MAX_BUDGET_USD)


class ReportBody(Storable):
    """What became of a part's targets so far, and, at its end, what has failed."""

    model_config = ConfigDict(extra="forbid")

    attempt: PartNumber
    is_retry: bool = False
    report: RunReport = RunReport()
    failures: list[Failure] = Field(default_factory=list)


class BlockBody(Storable):
    """Why a run cannot go on."""

    model_config = ConfigDict(extra="forbid")

    cause: str = Field(max_length=100)
    reason: str = Field(max_length=2_000)


class EvaluationRunShape(JsonShape):
    """A run: what was asked, how it is, and what it was estimated to take."""

    id: str
    name: str
    table: SelectedTable
    selection: Annotated[JsonObject, SchemaOf(Selection)]
    evaluators: Sequence[Annotated[JsonObject, SchemaOf(EvaluatorSpec)]]
    budget_usd: float | None
    on_existing: OnExisting
    mode: RunMode
    state: RunState
    cause: str
    reason: str
    estimate: Annotated[JsonObject, SchemaOf(Estimate)]
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None


class RunProgressShape(JsonShape):
    """How far a run is, in parts and in US dollars; `report` counts targets by score and by what became of them."""

    state: RunState
    cause: str
    reason: str
    parts: int
    parts_done: int
    client_parts_left: int
    report: Annotated[JsonObject, SchemaOf(RunReport)]
    spent_usd: float
    reserved_usd: float
    unknown_usd: float


class EvaluationPartShape(JsonShape):
    """A part that was claimed."""

    run_id: str
    place: Place
    part: int
    since: Instant | None
    until: Instant | None
    attempt: int
    is_retry: bool


class ClaimShape(JsonShape):
    """The part that was claimed, and the targets of each score that are to be tried again; null when none is left."""

    part: EvaluationPartShape | None
    failed: NotRequired[dict[str, Sequence[TargetKey]]]


class KeptShape(JsonShape):
    """Whether to go on with a part."""

    go_on: bool


FailureShape = TypeAliasType("FailureShape", Annotated[JsonObject, SchemaOf(Failure)])


def run_shape(run: EvaluationRun) -> EvaluationRunShape:
    """A run."""
    return {
        "id": run.id,
        "name": run.asked.name,
        "table": run.asked.table,
        "selection": run.asked.selection.model_dump(mode="json", exclude_none=True),
        "evaluators": [_evaluator_shape(spec) for spec in run.asked.evaluators],
        "budget_usd": run.asked.budget_usd,
        "on_existing": run.asked.on_existing,
        "mode": run.asked.mode,
        "state": run.state,
        "cause": run.cause,
        "reason": run.reason,
        "estimate": run.estimate.model_dump(mode="json"),
        "created_at": run.created_at.isoformat(),
        "started_at": _time(run.started_at),
        "finished_at": _time(run.finished_at),
    }


def progress_shape(run: EvaluationRun, progress: RunProgress) -> RunProgressShape:
    """How far it is."""
    return {
        "state": run.state,
        "cause": run.cause,
        "reason": run.reason,
        "parts": progress.parts,
        "parts_done": progress.parts_done,
        "client_parts_left": progress.client_parts_left,
        "report": progress.report.to_json(),
        "spent_usd": progress.spent_usd,
        "reserved_usd": progress.reserved_usd,
        "unknown_usd": progress.unknown_usd,
    }


def part_shape(part: EvaluationPart) -> EvaluationPartShape:
    """A part that was claimed."""
    return {
        "run_id": part.run_id,
        "place": part.place,
        "part": part.part,
        "since": _time(part.since),
        "until": _time(part.until),
        "attempt": part.attempt,
        "is_retry": part.is_retry,
    }


def failure_shape(failure: Failure) -> FailureShape:
    """What has failed."""
    return asdict(failure)


def _evaluator_shape(spec: EvaluatorSpec) -> JsonObject:
    return spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _time(moment: datetime | None) -> Instant | None:
    return moment.isoformat() if moment else None
