"""Scores in the shapes of all API generations."""

from collections.abc import Sequence
from typing import Literal, NotRequired

from heliograph.domain.scores import Score, ScoreDataType
from heliograph.domain.traces import Trace
from serve_apps.api.shapes.values import DataType, Instant, JsonObject, JsonShape, Source, iso, parsed_values

GROUPS_V3 = ("core", "details", "subject", "annotation")


class _Value(JsonShape):
    value: NotRequired[float]
    stringValue: NotRequired[str]


class _ScoreFields(_Value):
    id: str
    timestamp: Instant
    projectId: str
    environment: str
    name: str
    dataType: DataType
    source: Source
    authorUserId: str | None
    comment: str | None
    metadata: JsonObject
    configId: str | None
    queueId: str | None
    executionTraceId: str | None
    traceId: str | None
    observationId: str | None
    sessionId: str | None
    datasetRunId: str | None
    createdAt: Instant
    updatedAt: Instant


class ScoreV1(_ScoreFields):
    """A score: only numbers, truth values and categories have a `value`, only numbers no `stringValue`."""


class TraceOfScore(JsonShape):
    """What is known of the trace of a score."""

    userId: str | None
    tags: Sequence[str]
    environment: str | None
    sessionId: str | None


class ListedScoreV1(_ScoreFields):
    """A score in a list, with what is known of its trace; a score of a session or an experiment has none."""

    trace: TraceOfScore | None


class SubjectV3(JsonShape):
    """What a score is about; an observation is one of a trace."""

    kind: Literal["trace", "observation", "session", "experiment"]
    id: str
    traceId: NotRequired[str]


class ScoreV3(JsonShape):
    """A score whose value is of the type that `dataType` names; comment, subject and author where asked for."""

    id: str
    projectId: str
    name: str
    value: float | bool | str
    dataType: DataType
    source: Source
    timestamp: Instant
    environment: str
    createdAt: Instant
    updatedAt: Instant
    comment: NotRequired[str | None]
    configId: NotRequired[str | None]
    metadata: NotRequired[JsonObject]
    subject: NotRequired[SubjectV3]
    authorUserId: NotRequired[str | None]
    queueId: NotRequired[str | None]


class ScoresMetaV3(JsonShape):
    """How many were asked for, and where the next page begins; the last page has no cursor."""

    limit: int
    cursor: NotRequired[str]


class ScoresV3(JsonShape):
    """A part of the list of scores."""

    data: Sequence[ScoreV3]
    meta: ScoresMetaV3


def score_v1(score: Score) -> ScoreV1:
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


def _value(score: Score) -> _Value:
    match score.data_type:
        case ScoreDataType.NUMERIC:
            return {"value": score.value}
        case ScoreDataType.TEXT:
            return {"stringValue": score.string_value}
        case ScoreDataType.CORRECTION:
            return {"value": score.value, "stringValue": score.long_string_value}
        case _:
            return {"value": score.value, "stringValue": score.string_value}


def listed_score_v1(score: Score, trace: Trace | None) -> ListedScoreV1:
    """The contract's score in the lists of the first two generations; its trace may not have arrived yet."""
    return {**score_v1(score), "trace": _trace_of_score(trace) if score.trace_id else None}


def _trace_of_score(trace: Trace | None) -> TraceOfScore:
    if trace is None:
        return {"userId": None, "tags": [], "environment": None, "sessionId": None}
    return {
        "userId": trace.user_id or None,
        "tags": list(trace.tags),
        "environment": trace.environment,
        "sessionId": trace.session_id or None,
    }


def score_v3(score: Score, groups: frozenset[str]) -> ScoreV3:
    """The contract's v3 score: its core, and the chosen groups."""
    shape: ScoreV3 = {
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


def subject(score: Score) -> SubjectV3:
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
