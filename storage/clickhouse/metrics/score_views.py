"""The views of scores, one for each type of value."""

from collections.abc import Mapping

from storage.clickhouse.columns import Column, Kind
from storage.clickhouse.metrics.catalogue import COUNT, Dimension, Measure, View, day, month, text

_OF_PERIOD = """
    FROM scores FINAL WHERE project_id = {project_id:String}
        AND timestamp >= {after:DateTime64(6, 'UTC')} AND timestamp < {before:DateTime64(6, 'UTC')}
"""
_TRACE = f"""
    LEFT ANY JOIN (
        SELECT id AS of_trace_id, name AS of_trace_name, user_id AS of_trace_user_id, tags AS of_trace_tags,
            session_id AS of_trace_session_id, release AS of_trace_release, version AS of_trace_version
        FROM traces FINAL WHERE project_id = {{project_id:String}} AND id IN (SELECT trace_id {_OF_PERIOD})
    ) AS of_trace ON trace_id = of_trace_id
"""  # noqa: S608 - a constant
_OBSERVATION = f"""
    LEFT ANY JOIN (
        SELECT trace_id AS of_observation_trace_id, id AS of_observation_id, name AS of_observation_name,
            provided_model_name AS of_observation_model, prompt_name AS of_observation_prompt,
            prompt_version AS of_observation_prompt_version
        FROM observations FINAL WHERE project_id = {{project_id:String}}
            AND trace_id IN (SELECT trace_id {_OF_PERIOD} AND observation_id != '')
    ) AS of_observation ON trace_id = of_observation_trace_id AND observation_id = of_observation_id
"""  # noqa: S608 - a constant

_DIMENSIONS = {
    "id": text("id", has_many_values=True),
    "environment": text("environment"),
    "name": text("name"),
    "evaluatorId": text("evaluator_version"),
    "source": text("source"),
    "dataType": text("data_type"),
    "traceId": text("trace_id", has_many_values=True),
    "observationId": text("observation_id", has_many_values=True),
    "configId": text("config_id"),
    "timestampMonth": month("timestamp"),
    "timestampDay": day("timestamp"),
    "traceName": text("of_trace_name", "trace"),
    "tags": Dimension(Column("of_trace_tags", Kind.TEXTS), ("trace",)),
    "userId": text("of_trace_user_id", "trace", has_many_values=True),
    "sessionId": text("if(session_id != '', session_id, of_trace_session_id)", "trace", has_many_values=True),
    "traceRelease": text("of_trace_release", "trace"),
    "traceVersion": text("of_trace_version", "trace"),
    "observationName": text("of_observation_name", "observation"),
    "observationModelName": text("of_observation_model", "observation"),
    "observationPromptName": text("of_observation_prompt", "observation"),
    "observationPromptVersion": Dimension(Column("of_observation_prompt_version", Kind.NUMBER), ("observation",)),
}
_NEWER_DIMENSIONS = {
    "datasetRunId": text("dataset_run_id", has_many_values=True),
    "experimentId": text("dataset_run_id", has_many_values=True),
}
_FILTERS = {
    "timestamp": Column("timestamp", Kind.TIME),
    "metadata": Column("metadata", Kind.JSON_MAP),
}
_VALUE = Column("value", Kind.NUMBER)
_STRING_VALUE = {"stringValue": text("string_value")}
_BOOLEAN_VALUE = {"booleanValue": Dimension(Column("toBool(value != 0)", Kind.BOOLEAN))}
_NUMBERS = {"count": COUNT, "value": Measure("value")}


def _view(data_type: str, dimensions: Mapping[str, Dimension], measures: Mapping[str, Measure]) -> View:
    return View(
        table="scores",
        time="timestamp",
        condition=f"data_type = '{data_type}'",
        dimensions=dimensions,
        measures=measures,
        joins={"trace": _TRACE, "observation": _OBSERVATION},
        filters=_FILTERS | {"value": _VALUE},
    )


NUMERIC_V1 = _view("NUMERIC", _DIMENSIONS, _NUMBERS)
NUMERIC_V2 = _view("NUMERIC", _DIMENSIONS | _NEWER_DIMENSIONS, _NUMBERS)
CATEGORICAL_V1 = _view("CATEGORICAL", _DIMENSIONS | _STRING_VALUE, {"count": COUNT})
CATEGORICAL_V2 = _view("CATEGORICAL", _DIMENSIONS | _NEWER_DIMENSIONS | _STRING_VALUE, {"count": COUNT})
BOOLEAN_V1 = _view("BOOLEAN", _DIMENSIONS | _BOOLEAN_VALUE, _NUMBERS)
BOOLEAN_V2 = _view("BOOLEAN", _DIMENSIONS | _NEWER_DIMENSIONS | _BOOLEAN_VALUE, _NUMBERS)
