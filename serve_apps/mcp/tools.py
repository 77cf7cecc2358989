"""The tools that agents are given: routes of the API, described by its own document."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mcp_types import Tool, ToolAnnotations

# A route that takes nothing away from anybody may be added here, and is a tool.
ROUTES = {
    "list_projects": "get /projects",
    "list_traces": "get /traces",
    "get_trace": "get /traces/{trace_id}",
    "list_observations": "get /v2/observations",
    "get_observation": "get /observations/{observation_id}",
    "list_sessions": "get /sessions",
    "get_session": "get /sessions/{session_id}",
    "list_scores": "get /v3/scores",
    "query_metrics": "get /v2/metrics",
    "list_prompts": "get /v2/prompts",
    "get_prompt": "get /v2/prompts/{name}",
    "create_prompt": "post /v2/prompts",
    "label_prompt": "patch /v2/prompts/{name}/versions/{version}",
    "list_datasets": "get /v2/datasets",
    "get_dataset": "get /v2/datasets/{name}",
    "put_dataset": "post /v2/datasets",
    "list_dataset_items": "get /dataset-items",
    "put_dataset_item": "post /dataset-items",
    "list_dataset_runs": "get /datasets/{name}/runs",
    "get_dataset_run": "get /datasets/{name}/runs/{run_name}",
    "list_experiments": "get /experiments",
    "list_experiment_items": "get /experiment-items",
    "list_score_configs": "get /score-configs",
    "create_score_config": "post /score-configs",
    "list_annotation_queues": "get /annotation-queues",
    "list_annotation_queue_items": "get /annotation-queues/{queue_id}/items",
    "create_annotation_queue_item": "post /annotation-queues/{queue_id}/items",
    "list_comments": "get /comments",
    "create_comment": "post /comments",
    "list_models": "get /models",
    "list_evaluators": "get /unstable/evaluators",
    "list_evaluation_rules": "get /unstable/evaluation-rules",
    "list_dashboards": "get /unstable/dashboards",
}
_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True)
class RouteTool:
    """One route as a tool.

    Attributes:
        tool: as it is shown to agents; the arguments are parameters of the path and the query, and fields of the body.
        query: the names among the arguments that go into the query.
        fields: those that make up the body.
    """

    tool: Tool
    method: str
    path: str
    query: frozenset[str]
    fields: frozenset[str]

    def request(self, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any] | None]:
        """The path, the query and the body of a call with these arguments."""
        path = re.sub(r"{(\w+)}", lambda name: quote(str(arguments.get(name[1], "")), safe=""), self.path)
        query = {name: value for name, value in arguments.items() if name in self.query and value is not None}
        body = {name: value for name, value in arguments.items() if name in self.fields} if self.fields else None
        return path, query, body


def tools_of(document: dict[str, Any]) -> dict[str, RouteTool]:
    """The tools that an API's document describes, by their names."""
    return {name: _tool(name, route, document) for name, route in ROUTES.items()}


def _tool(name: str, route: str, document: dict[str, Any]) -> RouteTool:
    method, path = route.split()
    operation = document["paths"][path][method]
    parameters = operation.get("parameters", [])
    body = _body(operation, document)
    schemas = {each["name"]: each["schema"] for each in parameters} | body.get("properties", {})
    required = [each["name"] for each in parameters if each["required"]] + body.get("required", [])
    shown = {"type": "object", "properties": schemas, "required": required, "additionalProperties": False}
    return RouteTool(
        Tool(
            name=name,
            description=operation["description"],
            input_schema=_self_contained(shown, document),
            annotations=ToolAnnotations(read_only_hint=method == "get", destructive_hint=False, open_world_hint=False),
        ),
        method,
        path,
        frozenset(each["name"] for each in parameters if each["in"] == "query"),
        frozenset(body.get("properties", {})),
    )


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    reference = content.get("schema", {}).get("$ref", "")
    return dict(document["components"]["schemas"][reference.removeprefix(_REFERENCE)]) if reference else {}


def _self_contained(schema: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with all that it refers to."""
    known = document.get("components", {}).get("schemas", {})
    wanted: set[str] = set()
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += _references(known[name])
    definitions = {name: known[name] for name in sorted(wanted)}
    whole = {**schema, "$defs": definitions} if definitions else schema
    return dict(_relocated(whole))


def _references(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        if str(value.get("$ref", "")).startswith(_REFERENCE):
            yield value["$ref"].removeprefix(_REFERENCE)
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _relocated(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: each.replace(_REFERENCE, "#/$defs/") if key == "$ref" else _relocated(each)
            for key, each in value.items()
        }
    return [_relocated(each) for each in value] if isinstance(value, list) else value
