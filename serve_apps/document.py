"""The API's description of itself: what every route has in common, and the ingestion doors beside it."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

_JSON = "application/json"
_ISSUE = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "path": {"type": "array"}, "message": {"type": "string"}},
    "required": ["code", "path", "message"],
}
_PROBLEM = {
    "type": "object",
    "description": "What went wrong, and the name that clients key on; a request that breaks the schema has issues.",
    "properties": {
        "message": {"type": "string"},
        "error": {"anyOf": [{"type": "string"}, {"type": "array", "items": _ISSUE}]},
        "code": {"type": "string", "description": "Of the routes below /unstable, and of limits."},
        "details": {"type": "object"},
    },
    "required": ["message"],
    "examples": [{"message": "Trace t-1 not found within authorized project", "error": "LangfuseNotFoundError"}],
}
_SCIM_PROBLEM = {
    "type": "object",
    "description": "An error in the form of RFC 7644.",
    "properties": {
        "schemas": {"type": "array", "items": {"type": "string"}},
        "detail": {"type": "string"},
        "status": {"type": "integer"},
    },
    "required": ["schemas", "detail", "status"],
}
_REFUSALS = {
    "400": "The request is not what this route takes.",
    "401": "No key, or one that is not known, was revoked or has expired.",
    "403": "This key may not use this route.",
    "404": "What the request names does not exist here.",
    "405": "This path has no such method.",
    "409": "It is there already, or something else stands in its way.",
    "413": "The body is larger than may be sent at once.",
    "422": "The question is too heavy: narrow it.",
    "429": "Too much at once: `Retry-After` tells when to come again.",
    "503": "A store is away: `Retry-After` tells when to come again.",
}
_TAGS = {
    "ingestion": "What applications send: OTLP, batches of events, scores.",
    "trace": "Traces, in the first generation.",
    "observations": "Observations, in both generations.",
    "sessions": "Conversations: the traces of one session.",
    "score": "Scores, in three generations.",
    "score-configs": "What scores are held to.",
    "metrics": "Figures, in the query language.",
    "prompts": "Prompts in versions, with labels.",
    "datasets": "Datasets, and how to hold their items to schemas.",
    "dataset-items": "Items of datasets, as they are or were.",
    "dataset-runs": "Runs over datasets, and what ran.",
    "evaluation-runs": "Evaluations of selections of history, within a budget.",
    "experiment-comparisons": "What experiments came to, and how one differs from another, item by item.",
    "gates": "Policies that experiments are held to.",
    "prompt-experiments": "Prompts, asked of models over a dataset by the server.",
    "score-analytics": "What many scores say together: distributions, trends, agreement, calibration.",
    "experiments": "Experiments and their items, in the second generation.",
    "annotation-queues": "What people are to look at.",
    "comments": "What people say about traces, observations, sessions and prompts.",
    "media": "Files of traces and dataset items.",
    "models": "Definitions of models, and their prices.",
    "llm-connections": "Providers of models; their secrets are never shown.",
    "evaluators": "Evaluators and their rules, in the second generation.",
    "unstable": "Evaluators, rules: routes whose shape may still change.",
    "dashboards": "Dashboards and widgets.",
    "data": "Rows as Arrow streams, and SQL.",
    "masking": "What is hidden before it is stored.",
    "recosts": "Stored calls priced anew after a price has changed.",
    "exports": "Rows as files by day, fetched by URLs.",
    "blob-storage": "Rows written to a bucket of the project's owner, period by period.",
    "feedback": "What is said of this product itself.",
    "mcp": "The Model Context Protocol.",
    "projects": "Projects and their keys.",
    "organizations": "Members and keys of an organization.",
    "scim": "Provisioning by SCIM 2.0.",
    "admin": "Organizations, with the admin key of this server.",
    "health": "Whether this server lives.",
}
_SCHEMES = {
    "key": {"type": "http", "scheme": "basic", "description": "The public key as user, the secret key as password."},
    "publicKey": {"type": "http", "scheme": "bearer", "description": "A public key alone, which only writes scores."},
    "adminKey": {"type": "http", "scheme": "bearer", "description": "The admin key of this server."},
}
_OPEN = ("/health", "/ready")
_ADMIN = "/heliograph-admin/"
_VALIDATION = ("HTTPValidationError", "ValidationError")
_DOORS = {
    "/otel/v1/traces": ("post", "Spans as OTLP: protobuf or JSON, whole or gzipped.", "application/x-protobuf"),
    "/otel/v1/metrics": ("post", "Metrics as OTLP, which are accepted and dropped.", "application/x-protobuf"),
    "/otel/v1/logs": ("post", "Logs as OTLP, whose GenAI events join their spans.", "application/x-protobuf"),
    "/ingestion": ("post", "A batch of events of the first generation; each has a status of its own.", _JSON),
    "/scores": ("post", "One score, or an array of scores.", _JSON),
    "/traces": ("post", "One trace.", _JSON),
    "/spans": ("post patch", "One span.", _JSON),
    "/generations": ("post patch", "One generation.", _JSON),
    "/events": ("post", "One event.", _JSON),
}


def install(app: FastAPI) -> None:
    """Let the application describe itself in full."""
    routes_alone = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = completed(routes_alone())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document of the routes, with keys, refusals, tags, and the ingestion doors."""
    schemas = document["components"]["schemas"]
    kept = {name: schema for name, schema in schemas.items() if name not in _VALIDATION}
    paths = {path: dict(operations) for path, operations in document["paths"].items()}
    for path, door in _DOORS.items():
        methods, description, media = door
        for method in methods.split():
            paths.setdefault(path, {})[method] = _door(path, method, description, media=media)
    for path, operations in paths.items():
        for method, operation in operations.items():
            operations[method] = _whole(path, operation)
    return document | {
        "paths": paths,
        "tags": [{"name": name, "description": description} for name, description in _TAGS.items()],
        "components": {
            "schemas": kept | {"Problem": _PROBLEM, "ScimProblem": _SCIM_PROBLEM},
            "securitySchemes": _SCHEMES,
        },
    }


def _whole(path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    problem = "ScimProblem" if path.startswith("/scim/") else "Problem"
    # The state of this server is told in its own shape, whatever the status.
    schema = {} if path in _OPEN else {"$ref": f"#/components/schemas/{problem}"}
    refusals = {
        status: {"description": reason, "content": {_JSON: {"schema": schema}}}
        for status, reason in _REFUSALS.items()
        if path not in _OPEN or status in {"400", "503"}
    }
    answers = {status: answer for status, answer in operation["responses"].items() if status != "422"}
    return {**operation, "responses": answers | refusals, "security": _security(path)}


def _security(path: str) -> list[dict[str, list[str]]]:
    if path in _OPEN:
        return []
    if path.startswith(_ADMIN):
        return [{"adminKey": []}]
    return [{"key": []}, {"publicKey": []}] if path in {"/scores", "/ingestion"} else [{"key": []}]


def _door(path: str, method: str, description: str, *, media: str) -> dict[str, Any]:
    name = f"{method}_{path.strip('/').replace('/', '_')}"
    bodies: dict[str, Any] = {each: {"schema": {}} for each in dict.fromkeys((media, _JSON))}
    return {
        "tags": ["ingestion"],
        "summary": description,
        "operationId": name,
        "requestBody": {"required": True, "content": bodies},
        "responses": {"200": {"description": "Durable.", "content": {_JSON: {"schema": {}}}}},
    }
