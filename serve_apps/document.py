"""The API's description of itself: what every route has in common, and the ingestion doors beside it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from pydantic.alias_generators import to_pascal

from serve_apps.examples import Examples
from serve_apps.ingest import document as doors

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
    "415": "The body is encoded in a way that is not known here.",
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
# Of classes that share their names, which pydantic tells apart by their modules.
_LONG_NAME = re.compile(r"(?:[a-z_0-9]+__)+([a-z_0-9]+)__(?=[A-Z])")
_SCORING = {("post", "/scores"), ("post", "/ingestion")}
_VALIDATION = ("HTTPValidationError", "ValidationError")


def install(app: FastAPI) -> None:
    """Let the application describe itself in full."""
    routes_alone = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = completed(routes_alone())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def completed(routes_alone: dict[str, Any]) -> dict[str, Any]:
    """The document of the routes, with keys, refusals, tags, examples, and the ingestion doors."""
    document: dict[str, Any] = json.loads(_LONG_NAME.sub(_short, json.dumps(routes_alone)))
    schemas = document["components"]["schemas"] | doors.schemas() | {"Problem": _PROBLEM, "ScimProblem": _SCIM_PROBLEM}
    kept = {name: schema for name, schema in schemas.items() if name not in _VALIDATION}
    examples = Examples(kept)
    paths = {path: dict(operations) for path, operations in document["paths"].items()}
    for path, operations in doors.paths().items():
        paths.setdefault(path, {}).update(operations)
    for path, operations in paths.items():
        for method, operation in operations.items():
            operations[method] = _whole(method, path, operation, examples=examples)
    return document | {
        "paths": paths,
        "tags": [{"name": name, "description": description} for name, description in _TAGS.items()],
        "components": {"schemas": kept, "securitySchemes": _SCHEMES},
    }


def _short(name: re.Match[str]) -> str:
    """The class, with the last part of its module's name before it."""
    return to_pascal(name[1])


def _whole(method: str, path: str, operation: Mapping[str, Any], *, examples: Examples) -> dict[str, Any]:
    answers = {
        status: _with_example(answer, examples) for status, answer in operation["responses"].items() if status != "422"
    }
    whole = {**operation, "responses": answers | _refusals(path), "security": _security(method, path)}
    return whole | ({"requestBody": _with_example(whole["requestBody"], examples)} if "requestBody" in whole else {})


def _refusals(path: str) -> dict[str, Any]:
    problem = "ScimProblem" if path.startswith("/scim/") else "Problem"
    schema = {"$ref": f"#/components/schemas/{problem}"}
    return {
        status: {"description": reason, "content": {_JSON: {"schema": schema}}}
        for status, reason in _REFUSALS.items()
        # The state of this server is told in its own shape, whatever the status.
        if path not in _OPEN or status == "400"
    }


def _with_example(described: Mapping[str, Any], examples: Examples) -> dict[str, Any]:
    """A body, its JSON with an example."""
    content = dict(described.get("content", {}))
    told = content.get(_JSON, {})
    if told.get("schema") and "example" not in told:
        content[_JSON] = {**told, "example": examples.of(told["schema"])}
    return {**described, "content": content} if content else dict(described)


def _security(method: str, path: str) -> list[dict[str, list[str]]]:
    if path in _OPEN:
        return []
    if path.startswith(_ADMIN):
        return [{"adminKey": []}]
    return [{"key": []}, {"publicKey": []}] if (method, path) in _SCORING else [{"key": []}]
