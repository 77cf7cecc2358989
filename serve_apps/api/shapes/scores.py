"""Scores in the shapes of all API generations."""

from typing import Any

from heliograph.domain.scores import Score, ScoreDataType
from heliograph.domain.traces import Trace
from serve_apps.api.shapes.values import iso, parsed_values

GROUPS_V3 = ("core", "details", "subject", "annotation")


def score_v1(score: Score) -> dict[str, Any]:
    """The contract's v1 score: only numbers, truth values and categories have a `value`."""
    return {
        "id": score.id,
        "timestamp": iso(score.timestamp),
        "projectId": score.project_id,
        "environment": score.environment,
        "name": score.name,
        "dataType": score.data_type,
        "source": score.source,
        "authorUserId": score.author_user_id or None,
        "comment": score.comment or None,
        "metadata": parsed_values(score.metadata),
        "configId": score.config_id or None,
        "queueId": score.queue_id or None,
        "executionTraceId": score.execution_trace_id or None,
        "traceId": score.trace_id or None,
        "observationId": score.observation_id or None,
        "sessionId": score.session_id or None,
        "datasetRunId": score.dataset_run_id or None,
        "createdAt": iso(score.created_at),
        "updatedAt": iso(score.updated_at),
        **_value(score),
    }


def _value(score: Score) -> dict[str, Any]:
    match score.data_type:
        case ScoreDataType.NUMERIC:
            return {"value": score.value}
        case ScoreDataType.TEXT:
            return {"stringValue": score.string_value}
        case ScoreDataType.CORRECTION:
            return {"value": score.value, "stringValue": score.long_string_value}
        case _:
            return {"value": score.value, "stringValue": score.string_value}


def trace_of_score(trace: Trace | None) -> dict[str, Any]:
    """What the lists of the first two generations tell about the trace of a score; it may not have arrived yet."""
    if trace is None:
        return {"userId": None, "tags": [], "environment": None, "sessionId": None}
    return {
        "userId": trace.user_id or None,
        "tags": list(trace.tags),
        "environment": trace.environment,
        "sessionId": trace.session_id or None,
    }


def score_v3(score: Score, groups: frozenset[str]) -> dict[str, Any]:
    """The contract's v3 score: its core, and the chosen groups."""
    shape: dict[str, Any] = {
        "id": score.id,
        "projectId": score.project_id,
        "name": score.name,
        "value": _typed_value(score),
        "dataType": score.data_type,
        "source": score.source,
        "timestamp": iso(score.timestamp),
        "environment": score.environment,
        "createdAt": iso(score.created_at),
        "updatedAt": iso(score.updated_at),
    }
    if "details" in groups:
        shape["comment"] = score.comment or None
        shape["configId"] = score.config_id or None
        shape["metadata"] = parsed_values(score.metadata)
    if "subject" in groups:
        shape["subject"] = subject(score)
    if "annotation" in groups:
        shape["authorUserId"] = score.author_user_id or None
        shape["queueId"] = score.queue_id or None
    return shape


def subject(score: Score) -> dict[str, str]:
    """What a score is about."""
    if score.dataset_run_id:
        return {"kind": "experiment", "id": score.dataset_run_id}
    if score.session_id:
        return {"kind": "session", "id": score.session_id}
    if score.observation_id:
        return {"kind": "observation", "id": score.observation_id, "traceId": score.trace_id}
    return {"kind": "trace", "id": score.trace_id}


def _typed_value(score: Score) -> float | bool | str:
    match score.data_type:
        case ScoreDataType.NUMERIC:
            return score.value
        case ScoreDataType.BOOLEAN:
            return bool(score.value)
        case ScoreDataType.CORRECTION:
            return score.long_string_value
        case _:
            return score.string_value
