"""The view of observations."""

from storage.clickhouse.columns import Column, Kind
from storage.clickhouse.metrics.catalogue import (
    COUNT,
    Amount,
    Dimension,
    Expansion,
    Measure,
    View,
    distinct,
    month,
    text,
)

# What an observation does not say itself, its trace may: older clients set users and tags on traces alone.
_TRACE = """
    LEFT ANY JOIN (
        SELECT id AS of_trace_id, name AS of_trace_name, user_id AS of_trace_user_id, tags AS of_trace_tags,
            session_id AS of_trace_session_id, release AS of_trace_release, version AS of_trace_version
        FROM traces FINAL WHERE project_id = {project_id:String}
    ) AS of_trace ON trace_id = of_trace_id
"""
_SCORES = """
    LEFT ANY JOIN (
        SELECT trace_id AS scored_trace_id, observation_id AS scored_id, count() AS score_count
        FROM scores FINAL WHERE project_id = {project_id:String} AND observation_id != ''
        GROUP BY scored_trace_id, scored_id
    ) AS scored ON trace_id = scored_trace_id AND id = scored_id
"""
_JOINS = {"trace": _TRACE, "scores": _SCORES}

_USER = "if(user_id != '', user_id, of_trace_user_id)"
_SESSION = "if(session_id != '', session_id, of_trace_session_id)"
_TAGS = Column("if(notEmpty(tags), tags, of_trace_tags)", Kind.TEXTS)

# The tools that a model was offered stand in its input, those that it called in its output, in the forms of OpenAI.
_NAMES = """
    arrayMap(
        tool -> JSONExtractString(if(JSONHas(tool, 'function'), JSONExtractRaw(tool, 'function'), tool), 'name'),
        {tools})
"""
_OFFERED = _NAMES.format(tools="JSONExtractArrayRaw(input, 'tools')")
_CALLED = _NAMES.format(
    tools="""arrayConcat(
        JSONExtractArrayRaw(output, 'tool_calls'),
        arrayFlatten(arrayMap(each -> JSONExtractArrayRaw(each, 'tool_calls'), JSONExtractArrayRaw(output))),
        arrayFlatten(arrayMap(
            each -> JSONExtractArrayRaw(each, 'message', 'tool_calls'), JSONExtractArrayRaw(output, 'choices')))
    )"""
)

_BASE_DIMENSIONS = {
    "id": text("id", has_many_values=True),
    "traceId": text("trace_id", has_many_values=True),
    "traceName": text("if(trace_name != '', trace_name, of_trace_name)", "trace"),
    "environment": text("environment"),
    "parentObservationId": text("parent_observation_id", has_many_values=True),
    "type": text("type"),
    "name": text("name"),
    "level": text("level"),
    "version": text("version"),
    "tags": Dimension(_TAGS, ("trace",)),
    "providedModelName": text("provided_model_name"),
    "promptName": text("prompt_name"),
    "promptVersion": Dimension(Column("prompt_version", Kind.NUMBER)),
    "userId": text(_USER, "trace", has_many_values=True),
    "sessionId": text(_SESSION, "trace", has_many_values=True),
    "traceRelease": text("if(release != '', release, of_trace_release)", "trace"),
    "traceVersion": text("if(of_trace_version != '', of_trace_version, version)", "trace"),
    "startTimeMonth": month("start_time"),
    "toolNames": Dimension(
        Column("offered_tool", Kind.TEXT), expansion="offered tools", asked=Column(_OFFERED, Kind.TEXTS)
    ),
    "calledToolNames": Dimension(
        Column("called_tool", Kind.TEXT), expansion="called tools", asked=Column(_CALLED, Kind.TEXTS)
    ),
}
_NEWER_DIMENSIONS = {
    "isRootObservation": Dimension(Column("toBool(parent_observation_id = '' OR is_app_root)", Kind.BOOLEAN)),
    "release": text("release"),
    "costType": Dimension(Column("cost_type", Kind.TEXT), expansion="costs"),
    "usageType": Dimension(Column("usage_type", Kind.TEXT), expansion="usage"),
    "experimentId": text("experiment_id", has_many_values=True),
    "experimentName": text("experiment_name", has_many_values=True),
    "experimentDatasetId": text("experiment_dataset_id", has_many_values=True),
}

_MILLISECONDS = "(dateDiff('microsecond', {since}, {until}) / 1e3)"
_LATENCY = _MILLISECONDS.format(since="start_time", until="end_time")
_SIDE = "arraySum(mapValues(mapFilter((kind, cost) -> kind LIKE '%{side}%', cost_details)))"
_BASE_MEASURES = {
    "count": COUNT,
    "latency": Measure(_LATENCY),
    "streamingLatency": Measure(_MILLISECONDS.format(since="completion_start_time", until="end_time")),
    "timeToFirstToken": Measure(_MILLISECONDS.format(since="start_time", until="completion_start_time")),
    "inputTokens": Measure("input_tokens"),
    "outputTokens": Measure("output_tokens"),
    "totalTokens": Measure("total_tokens"),
    "outputTokensPerSecond": Measure(f"(output_tokens * 1e3 / nullIf({_LATENCY}, 0))"),
    "tokensPerSecond": Measure(f"(total_tokens * 1e3 / nullIf({_LATENCY}, 0))"),
    "inputCost": Measure(_SIDE.format(side="input"), Amount.MONEY),
    "outputCost": Measure(_SIDE.format(side="output"), Amount.MONEY),
    "totalCost": Measure("total_cost", Amount.MONEY),
    "countScores": Measure("score_count", joins=("scores",)),
    "toolDefinitions": Measure(f"toUInt64(length({_OFFERED}))"),
    "toolCalls": Measure(f"toUInt64(length({_CALLED}))"),
}
_NEWER_MEASURES = {
    "uniqueUserIds": distinct(_USER, "trace"),
    "uniqueSessionIds": distinct(_SESSION, "trace"),
    "traceId": Measure("trace_id", Amount.TEXT),
    "costByType": Measure("cost_of_type", Amount.MONEY, expansion="costs"),
    "usageByType": Measure("usage_of_type", expansion="usage"),
}
_EXPANSIONS = {
    "offered tools": Expansion(f"ARRAY JOIN {_OFFERED} AS offered_tool"),
    "called tools": Expansion(f"ARRAY JOIN {_CALLED} AS called_tool"),
    "costs": Expansion(
        "ARRAY JOIN mapKeys(cost_details) AS cost_type, mapValues(cost_details) AS cost_of_type",
        frozenset({"count", "costByType"}),
    ),
    "usage": Expansion(
        "ARRAY JOIN mapKeys(usage_details) AS usage_type, mapValues(usage_details) AS usage_of_type",
        frozenset({"count", "usageByType"}),
    ),
}
_FILTERS = {
    "startTime": Column("start_time", Kind.TIME),
    "endTime": Column("end_time", Kind.TIME),
    "metadata": Column("metadata", Kind.JSON_MAP),
}

OBSERVATIONS_V1 = View(
    table="observations",
    time="start_time",
    dimensions=_BASE_DIMENSIONS,
    measures=_BASE_MEASURES,
    joins=_JOINS,
    expansions=_EXPANSIONS,
    filters=_FILTERS,
)
OBSERVATIONS_V2 = View(
    table="observations",
    time="start_time",
    dimensions=_BASE_DIMENSIONS | _NEWER_DIMENSIONS,
    measures=_BASE_MEASURES | _NEWER_MEASURES,
    joins=_JOINS,
    expansions=_EXPANSIONS,
    filters=_FILTERS,
)
