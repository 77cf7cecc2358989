"""Requests that name what another tenant has, made from the application's own description of its routes."""

import json
from collections.abc import Mapping
from typing import Any

from tests.integration.api.access.routes import Route
from tests.integration.api.access.tenants import Tenant

# Everything that a read may show, where it shows less unless it is told.
_FIELDS = {
    "/api/public/v2/observations": "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context",
    "/api/public/v3/scores": "core,details,subject,annotation",
    "/api/public/experiment-items": "core,dataset,io,metadata,itemMetadata,experimentMetadata,scores",
}
_EARLY = "2026-01-01T00:00:00Z"
_LATE = "2027-01-01T00:00:00Z"
_METRICS = {
    "view": "observations",
    "dimensions": [{"field": "name"}, {"field": "userId"}],
    "metrics": [{"measure": "count", "aggregation": "count"}],
    "orderBy": [{"field": "count_count", "direction": "desc"}],
    "config": {"row_limit": 100},
    "fromTimestamp": _EARLY,
    "toTimestamp": _LATE,
}


def words(tenant: Tenant) -> dict[str, Any]:
    """By the name of a parameter or of a body's field: a value that is the tenant's wherever it could be."""
    ids = tenant.ids
    trace = {"traceId": ids["traces.trace_id"], "objectId": ids["traces.trace_id"], "objectType": "TRACE"}
    return trace | {
        "traceIds": [ids["traces.trace_id"]],
        "observationId": ids["observations.observation_id"],
        "projectId": tenant.project.id,
        "datasetItemId": ids["dataset-items.item_id"],
        "datasetName": ids["datasets.name"],
        "runName": ids["datasets.run_name"],
        "experiment": ids["datasets.run_name"],
        "first": ids["datasets.run_name"],
        "second": ids["datasets.run_name"],
        "scoreConfigIds": [ids["score-configs.config_id"]],
        # Users are nobody's: whoever knows the id of one may make them a member, as the contract has it.
        "userId": "unknown",
        "sourceTraceId": ids["traces.trace_id"],
        "name": "any",
        "role": "VIEWER",
        "content": "mine",
        "prompt": "mine",
        "newLabels": ["stolen"],
        "status": "COMPLETED",
        "items": [{"id": ids["dataset-items.item_id"], "input": "mine"}],
        "query": "SELECT * FROM observations",
        "active": False,
        "Operations": [{"op": "replace", "path": "active", "value": False}],
        "uploadedAt": _EARLY,
        "uploadHttpStatus": 200,
        "description": "mine",
        "type": "widget",
        "widgetId": ids["dashboard-widgets.widget_id"],
    }


def body(route: Route, schemas: Mapping[str, Any], tenant: Tenant) -> dict[str, Any] | None:
    """A body whose every field that has a word of the tenant has it; None where the route takes none."""
    content = route.operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    schema = content["schema"]
    fields = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    known = words(tenant)
    return {name: known[name] for name in fields.get("properties", {}) if name in known}


def parameters(route: Route, tenant: Tenant) -> dict[str, Any]:
    """What the route requires in its query, filled with words of the tenant."""
    known = words(tenant) | {
        "datasetId": tenant.ids["datasets.dataset_id"],
        "fromStartTime": _EARLY,
        "name": tenant.ids["prompts.name"],
        "query": json.dumps(_METRICS),
    }
    asked = route.operation.get("parameters", [])
    named = {each["name"]: known[each["name"]] for each in asked if each["in"] == "query" and each["required"]}
    return named | ({"fields": _FIELDS[route.path]} if route.path in _FIELDS else {})
