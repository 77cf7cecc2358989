"""For each route of the contract that changes something: a request as the contract wants it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.integration.api.access.tenants import Tenant

_AT = "2026-11-20T12:00:00Z"
_JUDGE = {"type": "llm_as_judge", "prompt": "Is {{output}} right?", "outputDefinition": {"dataType": "BOOLEAN"}}


class Sent(NamedTuple):
    """A request.

    Attributes:
        route: as the contract lists it, `PATCH /score-configs/{}`.
        json: its body.
        makes: the name under which the answer's id is kept, for those that follow.
        params: its query.
        headers: its own.
    """

    route: str
    json: Any = None
    makes: str = ""
    params: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    headers: dict[str, str] = {}  # noqa: RUF012


def changes(tenant: Tenant) -> Iterator[Sent]:
    """Whatever creates and changes things of a tenant that has something of everything."""
    ids, word = tenant.ids, tenant.word
    yield from _events(ids["traces.trace_id"])
    yield Sent("POST /datasets", {"name": ids["datasets.name"]})
    yield Sent("POST /prompts", {"name": f"v1-{word}", "prompt": "p", "isActive": True})
    yield Sent("PATCH /v2/prompts/{}/versions/{}", {"newLabels": ["new"]})
    yield Sent("PATCH /score-configs/{}", {"description": "changed"})
    yield Sent("PATCH /annotation-queues/{}/items/{}", {"status": "COMPLETED"})
    yield Sent("POST /annotation-queues/{}/assignments", {"userId": ids["scim.user_id"]})
    yield Sent("PATCH /media/{}", {"uploadedAt": _AT, "uploadHttpStatus": 200})
    yield Sent("PUT /models/{}", {"modelName": word, "matchPattern": f"^{word}$", "unit": "TOKENS", "totalPrice": 1})
    yield Sent("PATCH /unstable/dashboards/{}", {"description": tenant.mark})
    yield Sent("PATCH /unstable/dashboards/{}/placements/{}", {"x": 1})
    yield Sent("PATCH /unstable/dashboard-widgets/{}", {"description": tenant.mark})
    yield Sent("PATCH /unstable/evaluation-rules/{}", {"sampling": 0.5})
    yield Sent("POST /feedback", {"targetType": "docs", "target": "t", "feedback": "f"})
    initialize = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "n", "version": "1"}}
    called = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize}
    yield Sent("POST /mcp", called, headers={"accept": "application/json, text/event-stream"})
    yield from _organization(tenant)


def _events(trace_id: str) -> Iterator[Sent]:
    event = {"id": "e", "type": "trace-create", "timestamp": _AT, "body": {"id": trace_id}}
    yield Sent("POST /ingestion", {"batch": [event]})
    yield Sent("POST /traces", {"id": trace_id})
    for route in ("POST /spans", "POST /generations", "POST /events"):
        yield Sent(route, {"traceId": trace_id, "name": "n"})
    yield Sent("PATCH /spans", {"spanId": "s", "traceId": trace_id})
    yield Sent("PATCH /generations", {"generationId": "g", "traceId": trace_id})
    yield Sent("POST /scores", {"traceId": trace_id, "name": "n", "value": 1})
    yield Sent("POST /otel/v1/traces", {"resourceSpans": []})
    yield Sent("POST /otel/v1/metrics", {"resourceMetrics": []})


def _organization(tenant: Tenant) -> Iterator[Sent]:
    member = {"userId": tenant.ids["scim.user_id"], "role": "MEMBER"}
    yield Sent("PUT /organizations/memberships", member)
    yield Sent("PUT /projects/{}/memberships", member)
    yield Sent("PUT /projects/{}", {"name": f"project {tenant.mark}"})
    yield Sent("PUT /scim/Users/{}", {"active": True, "roles": ["MEMBER"]})
    yield Sent("PATCH /scim/Users/{}", {"Operations": [{"op": "replace", "path": "active", "value": True}]})


def deletions(tenant: Tenant) -> Iterator[Sent]:
    """Whatever takes things away, and makes anew what is taken away twice: by one generation and by the other."""
    ids, member = tenant.ids, {"userId": tenant.ids["scim.user_id"]}
    yield Sent("DELETE /scores/{}")
    yield Sent("DELETE /datasets/{}/runs/{}")
    yield Sent("DELETE /dataset-items/{}")
    yield Sent("DELETE /v2/prompts/{}")
    yield Sent("DELETE /models/{}")
    yield Sent("DELETE /annotation-queues/{}/assignments", member)
    yield Sent("DELETE /annotation-queues/{}/items/{}")
    yield Sent("DELETE /unstable/dashboards/{}/placements/{}")
    yield Sent("DELETE /unstable/dashboards/{}")
    yield Sent("DELETE /unstable/dashboard-widgets/{}")
    yield Sent("DELETE /unstable/evaluation-rules/{}")
    yield Sent("DELETE /unstable/evaluators/{}")
    yield Sent("POST /v2/evaluators", {"name": f"second-{tenant.word}", **_JUDGE}, makes="evaluators.evaluator_id")
    yield Sent("PATCH /v2/evaluators/{}", _JUDGE)
    yield from _rules(lambda: ids["evaluators.evaluator_id"], tenant.word)
    yield Sent("DELETE /v2/evaluators/{}")
    yield Sent("DELETE /llm-connections/{}")
    yield Sent("DELETE /traces/{}")
    yield Sent("DELETE /traces", {"traceIds": [ids["traces.trace_id"]]})
    yield Sent("DELETE /integrations/blob-storage/{}")
    yield Sent("DELETE /projects/{}/apiKeys/{}")
    yield Sent("DELETE /projects/{}/memberships", member)
    yield Sent("DELETE /organizations/memberships", member)
    yield Sent("POST /scim/Users", {"userName": f"{tenant.word}@example.com"}, makes="scim.user_id")
    yield Sent("DELETE /scim/Users/{}")
    yield Sent("POST /projects", {"name": f"another {tenant.word}", "retention": 0}, makes="projects.project_id")
    yield Sent("DELETE /projects/{}")


def _rules(evaluator_id: Callable[[], str], word: str) -> Iterator[Sent]:
    assigned = {"evaluatorId": evaluator_id(), "variableMapping": [{"variable": "output", "source": "output"}]}
    rule = {"name": f"second-{word}", "enabled": False, "evaluatorAssignments": [assigned]}
    yield Sent("POST /v2/evaluation-rules", rule, makes="evaluation-rules.rule_id")
    yield Sent("PATCH /v2/evaluation-rules/{}", {"sampling": 0.5})
    yield Sent("DELETE /v2/evaluation-rules/{}")
