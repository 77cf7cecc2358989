"""The ingestion doors' part of the API's description."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from serve_apps.api.shapes.lists import Identified, Nothing, Told
from serve_apps.ingest.shapes import BatchShape, ExportAnswer, ScoresShape

JSON = "application/json"
_PROTOBUF = "application/x-protobuf"
_TEMPLATE = "#/components/schemas/{model}"
_AT = "2026-05-04T10:11:12.345Z"
_SPAN = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "answer"}
_TIMES = {"startTimeUnixNano": "1777889472345000000", "endTimeUnixNano": "1777889473595000000"}
_RESOURCE_SPANS = [{"scopeSpans": [{"spans": [{**_SPAN, "kind": 1, **_TIMES}]}]}]
_SCORE = {"traceId": "trace-1", "name": "correctness", "value": 0.9}
_ENVELOPE = {"id": "event-1", "timestamp": _AT}
_OBSERVATION = {"id": "observation-1", "traceId": "trace-1", "name": "answer", "startTime": _AT}


class Door(NamedTuple):
    """One path: what it takes, an example of it, and the type of each successful answer."""

    methods: str
    summary: str
    example: Any
    answers: Mapping[str, Any]
    media: str = JSON


_DOORS = {
    "/otel/v1/traces": Door(
        "post",
        "Spans as OTLP: protobuf or JSON, whole or gzipped.",
        {"resourceSpans": _RESOURCE_SPANS},
        {"200": ExportAnswer},
        _PROTOBUF,
    ),
    "/otel/v1/metrics": Door(
        "post", "Metrics as OTLP, which are accepted and dropped.", {"resourceMetrics": []}, {"200": Told}, _PROTOBUF
    ),
    "/otel/v1/logs": Door(
        "post",
        "Logs as OTLP, whose GenAI events join their spans.",
        {"resourceLogs": []},
        {"200": Nothing},
        _PROTOBUF,
    ),
    "/ingestion": Door(
        "post",
        "A batch of events of the first generation; each has a status of its own.",
        {"batch": [{**_ENVELOPE, "type": "score-create", "body": _SCORE}]},
        {"207": BatchShape},
    ),
    "/scores": Door(
        "post", "One score, or an array of scores.", _SCORE, {"200": Identified, "202": Told, "207": ScoresShape}
    ),
    "/traces": Door("post", "One trace.", {"id": "trace-1", "name": "answer", "timestamp": _AT}, {"200": Identified}),
    "/spans": Door("post patch", "One span.", _OBSERVATION, {"200": Identified}),
    "/generations": Door("post patch", "One generation.", {**_OBSERVATION, "model": "gpt-5"}, {"200": Identified}),
    "/events": Door("post", "One event.", _OBSERVATION, {"200": Identified}),
}
_REASONS = {"200": "Durable.", "202": "Every score of the array is durable.", "207": "What is durable, and what not."}


def paths() -> dict[str, dict[str, Any]]:
    """The operations of the doors, by path and method."""
    return {
        path: {method: _operation(path, method, door) for method in door.methods.split()}
        for path, door in _DOORS.items()
    }


def schemas() -> dict[str, Any]:
    """What their answers refer to."""
    shapes = {shape for door in _DOORS.values() for shape in door.answers.values()}
    inputs = [(shape.__name__, "serialization", TypeAdapter(shape)) for shape in sorted(shapes, key=_name)]
    _, described = TypeAdapter.json_schemas(inputs, ref_template=_TEMPLATE)  # type: ignore[arg-type]  # literals
    return dict(described["$defs"])


def _operation(path: str, method: str, door: Door) -> dict[str, Any]:
    bodies: dict[str, Any] = {each: {"schema": {}} for each in dict.fromkeys((door.media, JSON))}
    bodies[JSON]["example"] = door.example
    return {
        "tags": ["ingestion"],
        "summary": door.summary,
        "operationId": f"{method}_{path.strip('/').replace('/', '_')}",
        "requestBody": {"required": True, "content": bodies},
        "responses": {
            status: {"description": _REASONS[status], "content": {JSON: {"schema": {"$ref": _reference(shape)}}}}
            for status, shape in door.answers.items()
        },
    }


def _reference(shape: Any) -> str:
    return _TEMPLATE.format(model=_name(shape))


def _name(shape: Any) -> str:
    return str(shape.__name__)
