"""Scores in the shape of the first API generation."""

from typing import Any

from heliograph.domain.scores import Score, ScoreDataType
from serve_apps.api.shapes.values import iso, parsed_values


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
