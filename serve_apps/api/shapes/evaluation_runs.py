"""Evaluation runs as JSON."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from heliograph.domain.evaluation_runs import (
    MAX_BUDGET_USD,
    EvaluationPart,
    EvaluationRun,
    EvaluatorSpec,
    Failure,
    RunProgress,
    RunReport,
)


class ResumeBody(BaseModel):
    """How a run goes on; the budget, where it is given, is the new one of the whole run."""

    model_config = ConfigDict(extra="forbid")

    budget_usd: float | None = Field(default=None, ge=0, le=MAX_BUDGET_USD)


class ReportBody(BaseModel):
    """What became of a part's targets so far, and, at its end, what has failed."""

    model_config = ConfigDict(extra="forbid")

    attempt: int
    is_retry: bool = False
    report: dict[str, Any] = {}
    failures: list[dict[str, str]] = []

    @property
    def counted(self) -> RunReport:
        """The counts."""
        return RunReport.from_json(self.report)

    @property
    def failed(self) -> list[Failure]:
        """The failures."""
        return [Failure(**failure) for failure in self.failures]


class BlockBody(BaseModel):
    """Why a run cannot go on."""

    model_config = ConfigDict(extra="forbid")

    cause: str = Field(max_length=100)
    reason: str = Field(max_length=2_000)


def run_shape(run: EvaluationRun) -> dict[str, Any]:
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
        "created_at": _time(run.created_at),
        "started_at": _time(run.started_at),
        "finished_at": _time(run.finished_at),
    }


def progress_shape(run: EvaluationRun, progress: RunProgress) -> dict[str, Any]:
    """How far it is."""
    return {"state": run.state, "cause": run.cause, "reason": run.reason, **asdict(progress)}


def part_shape(part: EvaluationPart) -> dict[str, Any]:
    """A part that was claimed."""
    return {**asdict(part), "since": _time(part.since), "until": _time(part.until)}


def failure_shape(failure: Failure) -> dict[str, Any]:
    """What has failed."""
    return asdict(failure)


def _evaluator_shape(spec: EvaluatorSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude_defaults=True)


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
