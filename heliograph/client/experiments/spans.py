"""An item that ran, as the span and the scores that tell the server of it."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from heliograph.client.experiments.items import Run
from heliograph.client.experiments.places import span_of
from heliograph.client.experiments.tasks import ItemResult
from heliograph.domain.evaluators import Outcome, OutcomeStatus
from heliograph.domain.experiments import EXPERIMENT_METADATA, ITEM_METADATA, PREFIX, UNSCORED_METADATA

# That of Langfuse's SDKs, so that experiments of both stand together.
ENVIRONMENT = "sdk-experiment"
SOURCE = "EVAL"


def request_of(run: Run, results: Iterable[ItemResult], versions: Mapping[str, str]) -> dict[str, Any]:
    """The OTLP request with a span for each result."""
    spans = [_span(run, result, versions) for result in results]
    return {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "heliograph.experiments"}, "spans": spans}]}]}


def scores_of(result: ItemResult, versions: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row for each verdict, as `ScoresOfProject` writes them."""
    place = {"trace_id": result.trace_id, "observation_id": span_of(result.trace_id)}
    return [
        score_row(name, versions[name], outcome) | place
        for name, outcome in result.outcomes.items()
        if outcome.verdict is not None
    ]


def score_row(name: str, version: str, outcome: Outcome) -> dict[str, Any]:
    """A verdict, without what it is about."""
    assert outcome.verdict is not None
    verdict = outcome.verdict
    row = {"name": name, "value": verdict.value, "comment": verdict.reason or None, "metadata": dict(verdict.metadata)}
    return {**row, "evaluator_version": version, "source": SOURCE, "environment": ENVIRONMENT}


def unscored(outcomes: Mapping[str, Outcome], versions: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What has no score, and why."""
    return {
        name: {"version": versions[name], "status": str(outcome.status), "reason": outcome.reason}
        for name, outcome in outcomes.items()
        if outcome.status is not OutcomeStatus.SCORED
    }


def _span(run: Run, result: ItemResult, versions: Mapping[str, str]) -> dict[str, Any]:
    item, span_id = result.item, span_of(result.trace_id)
    attributes = {
        "langfuse.environment": ENVIRONMENT,
        "langfuse.trace.name": run.name,
        "langfuse.observation.input": _text(item.input),
        "langfuse.observation.output": _text(result.output),
        "langfuse.observation.level": "ERROR" if result.error else "DEFAULT",
        "langfuse.observation.status_message": result.error,
        f"langfuse.observation.metadata.{UNSCORED_METADATA}": _text(unscored(result.outcomes, versions) or None),
        f"{PREFIX}id": run.id,
        f"{PREFIX}name": run.name,
        f"{PREFIX}dataset.id": run.dataset_id,
        f"{PREFIX}item.id": item.id,
        f"{PREFIX}item.version": item.version,
        f"{PREFIX}item.root_observation_id": span_id,
        f"{PREFIX}item.expected_output": _text(item.expected),
        EXPERIMENT_METADATA: _text(dict(run.metadata) or None),
        ITEM_METADATA: _text(item.metadata),
    }
    return {
        "traceId": result.trace_id,
        "spanId": span_id,
        "name": "experiment-item-task",
        "startTimeUnixNano": _nanos(result.start),
        "endTimeUnixNano": _nanos(result.end),
        "attributes": [_attribute(key, value) for key, value in attributes.items() if value],
        "status": {"code": 2, "message": result.error} if result.error else {"code": 0},
    }


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _nanos(at: datetime) -> str:
    return str(int(at.timestamp() * 1_000_000) * 1_000)
