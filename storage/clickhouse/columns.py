"""The columns that a filter may name, by the contract's names for them: what is not listed here cannot be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What can be asked of a column."""

    TEXT = "a text"
    PAYLOAD = "a text with a full-text index"
    TEXTS = "a list of texts"
    TIME = "a time"
    NUMBER = "a number"
    BOOLEAN = "a truth value"
    JSON_MAP = "a map of JSON values"
    NUMBER_MAP = "a map of numbers"
    TEXT_MAP = "a map of texts"
    POSITION = "a position"


@dataclass(frozen=True)
class Column:
    """An expression over a table's columns, and what can be asked of it.

    Args:
        sql: the expression.
        kind: what can be asked of it.
        within: what stands around a condition on it, in which `{condition}` is its place.
    """

    sql: str
    kind: Kind
    within: str = "{condition}"


Columns = Mapping[str, Column]

_SECONDS = "(dateDiff('microsecond', start_time, {until}) / 1e6)"
_LATENCY = _SECONDS.format(until="end_time")

_COST_OF_SIDE = "toFloat64(arraySum(mapValues(mapFilter((k, v) -> k LIKE '%{side}%', cost_details))))"
# Figures that the row of a trace does not have, from its observations; braces of bound values are doubled for `format`.
_OF_OBSERVATIONS = """
    id IN (
        SELECT trace_id FROM observations FINAL WHERE project_id = {{project_id:String}}
        GROUP BY trace_id HAVING {condition}
    )
"""

# What is of the whole trace, from its row.
_OF_TRACE = "trace_id IN (SELECT id FROM traces FINAL WHERE project_id = {{project_id:String}} AND ({condition}))"

TRACE_COLUMNS: Columns = {
    "id": Column("id", Kind.TEXT),
    "timestamp": Column("timestamp", Kind.TIME),
    "createdAt": Column("created_at", Kind.TIME),
    "updatedAt": Column("updated_at", Kind.TIME),
    "name": Column("name", Kind.TEXT),
    "traceName": Column("name", Kind.TEXT),
    "userId": Column("user_id", Kind.TEXT),
    "sessionId": Column("session_id", Kind.TEXT),
    "environment": Column("environment", Kind.TEXT),
    "release": Column("release", Kind.TEXT),
    "version": Column("version", Kind.TEXT),
    "tags": Column("tags", Kind.TEXTS),
    "traceTags": Column("tags", Kind.TEXTS),
    "models": Column("models", Kind.TEXTS),
    "public": Column("public", Kind.BOOLEAN),
    "bookmarked": Column("bookmarked", Kind.BOOLEAN),
    "metadata": Column("metadata", Kind.JSON_MAP),
    "level": Column("level", Kind.TEXT),
    "latency": Column("(latency_ms / 1000)", Kind.NUMBER),
    "observationCount": Column("observation_count", Kind.NUMBER),
    "errorCount": Column("error_count", Kind.NUMBER),
    "warningCount": Column("warning_count", Kind.NUMBER),
    "scoreCount": Column("score_count", Kind.NUMBER),
    "inputTokens": Column("input_tokens", Kind.NUMBER),
    "outputTokens": Column("output_tokens", Kind.NUMBER),
    "totalTokens": Column("total_tokens", Kind.NUMBER),
    "tokens": Column("total_tokens", Kind.NUMBER),
    "totalCost": Column("toFloat64(total_cost)", Kind.NUMBER),
    "inputCost": Column(f"sum({_COST_OF_SIDE.format(side='input')})", Kind.NUMBER, _OF_OBSERVATIONS),
    "outputCost": Column(f"sum({_COST_OF_SIDE.format(side='output')})", Kind.NUMBER, _OF_OBSERVATIONS),
    "defaultCount": Column("countIf(level = 'DEFAULT')", Kind.NUMBER, _OF_OBSERVATIONS),
    "debugCount": Column("countIf(level = 'DEBUG')", Kind.NUMBER, _OF_OBSERVATIONS),
    "scores_avg": Column("score_values", Kind.NUMBER_MAP),
    "score_categories": Column("score_labels", Kind.TEXT_MAP),
}

OBSERVATION_COLUMNS: Columns = {
    "id": Column("id", Kind.TEXT),
    "traceId": Column("trace_id", Kind.TEXT),
    "parentObservationId": Column("parent_observation_id", Kind.TEXT),
    "type": Column("type", Kind.TEXT),
    "name": Column("name", Kind.TEXT),
    "startTime": Column("start_time", Kind.TIME),
    "endTime": Column("end_time", Kind.TIME),
    "completionStartTime": Column("completion_start_time", Kind.TIME),
    "createdAt": Column("created_at", Kind.TIME),
    "updatedAt": Column("updated_at", Kind.TIME),
    "environment": Column("environment", Kind.TEXT),
    "level": Column("level", Kind.TEXT),
    "statusMessage": Column("status_message", Kind.TEXT),
    "version": Column("version", Kind.TEXT),
    "release": Column("release", Kind.TEXT),
    "userId": Column("user_id", Kind.TEXT),
    "sessionId": Column("session_id", Kind.TEXT),
    "isRootObservation": Column("(parent_observation_id = '' OR is_app_root)", Kind.BOOLEAN),
    "hasParentObservation": Column("(parent_observation_id != '')", Kind.BOOLEAN),
    "positionInTrace": Column("", Kind.POSITION),
    "traceEnvironment": Column("environment", Kind.TEXT),
    "traceName": Column("trace_name", Kind.TEXT),
    "tags": Column("tags", Kind.TEXTS),
    "traceTags": Column("tags", Kind.TEXTS),
    "latency": Column(_LATENCY, Kind.NUMBER),
    "timeToFirstToken": Column(_SECONDS.format(until="completion_start_time"), Kind.NUMBER),
    "tokensPerSecond": Column(f"(output_tokens / nullIf({_LATENCY}, 0))", Kind.NUMBER),
    "inputTokens": Column("input_tokens", Kind.NUMBER),
    "outputTokens": Column("output_tokens", Kind.NUMBER),
    "totalTokens": Column("total_tokens", Kind.NUMBER),
    "tokens": Column("total_tokens", Kind.NUMBER),
    "inputCost": Column(_COST_OF_SIDE.format(side="input"), Kind.NUMBER),
    "outputCost": Column(_COST_OF_SIDE.format(side="output"), Kind.NUMBER),
    "totalCost": Column("toFloat64(total_cost)", Kind.NUMBER),
    "model": Column("provided_model_name", Kind.TEXT),
    "providedModelName": Column("provided_model_name", Kind.TEXT),
    "modelId": Column("model_id", Kind.TEXT),
    "internalModelId": Column("model_id", Kind.TEXT),
    "promptName": Column("prompt_name", Kind.TEXT),
    "promptVersion": Column("prompt_version", Kind.NUMBER),
    "input": Column("input", Kind.PAYLOAD),
    "output": Column("output", Kind.PAYLOAD),
    "metadata": Column("metadata", Kind.JSON_MAP),
    "datasetId": Column("experiment_dataset_id", Kind.TEXT),
    "isExperimentItemRootSpan": Column("is_experiment_item", Kind.BOOLEAN),
}

SCORE_COLUMNS: Columns = {
    "id": Column("id", Kind.TEXT),
    "timestamp": Column("timestamp", Kind.TIME),
    "createdAt": Column("created_at", Kind.TIME),
    "updatedAt": Column("updated_at", Kind.TIME),
    "name": Column("name", Kind.TEXT),
    "dataType": Column("data_type", Kind.TEXT),
    "source": Column("source", Kind.TEXT),
    "value": Column("value", Kind.NUMBER),
    "stringValue": Column("string_value", Kind.TEXT),
    "traceId": Column("trace_id", Kind.TEXT),
    "observationId": Column("observation_id", Kind.TEXT),
    "sessionId": Column("session_id", Kind.TEXT),
    "datasetRunId": Column("dataset_run_id", Kind.TEXT),
    "environment": Column("environment", Kind.TEXT),
    "comment": Column("comment", Kind.TEXT),
    "metadata": Column("metadata", Kind.JSON_MAP),
    "authorUserId": Column("author_user_id", Kind.TEXT),
    "configId": Column("config_id", Kind.TEXT),
    "queueId": Column("queue_id", Kind.TEXT),
    "executionTraceId": Column("execution_trace_id", Kind.TEXT),
    "evaluatorVersion": Column("evaluator_version", Kind.TEXT),
}


def of_trace(*names: str) -> Columns:
    """Columns of the trace that a row belongs to, for filters of rows that only name it."""
    return {name: Column(TRACE_COLUMNS[name].sql, TRACE_COLUMNS[name].kind, _OF_TRACE) for name in names}


# The first generation asks for the user, the session and the tags of the trace, which may have come with any of its
# events; the second for those of the observation itself.
LISTED_OBSERVATION_COLUMNS: Columns = {
    **OBSERVATION_COLUMNS,
    **of_trace("traceName", "userId", "sessionId", "tags", "traceTags"),
}
