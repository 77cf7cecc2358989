"""What the API's description says of answers: a schema and an example for each, strict enough to find what is wrong."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from serve_apps.ingest import document
from tests.integration.api.access.routes import document as routes_alone
from tests.integration.api.conformance import Description, completed_document

_JSON = "application/json"
DOCUMENT = completed_document()
# What answers with rows as an Arrow stream, with nothing, or in the protocol of agents.
OTHERWISE = {"post /data/sql", "post /data/{table}", "delete /v2/prompts/{name}", "delete /scim/Users/{user_id}"}


def operations() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every operation by method and path."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def successes(operation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The JSON of its successful answers."""
    answers = operation["responses"].items()
    return [told["content"][_JSON] for status, told in answers if status < "300" and _JSON in told.get("content", {})]


OPERATIONS = dict(operations())


def test_every_success_has_a_schema() -> None:
    without = {
        name for name, operation in OPERATIONS.items() if not all(each["schema"] for each in successes(operation))
    }
    silent = {name for name, operation in OPERATIONS.items() if not successes(operation)}
    assert without == {"post /mcp"}
    assert silent == OTHERWISE


def test_every_reference_leads_somewhere() -> None:
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))
    assert named <= set(DOCUMENT["components"]["schemas"])
    assert not [name for name in DOCUMENT["components"]["schemas"] if "__" in name]


def test_shapes_of_both_applications_have_names_of_their_own() -> None:
    own = document.schemas()
    assert {name: DOCUMENT["components"]["schemas"][name] for name in own} == own
    assert own.keys() & routes_alone()["components"]["schemas"].keys() == {"Identified", "Nothing", "Told"}


def test_examples_keep_to_their_schemas() -> None:
    description = Description(DOCUMENT)
    wrong = {}
    for name, operation in OPERATIONS.items():
        method, path = name.split()
        bodies: dict[tuple[str, ...], Any] = {
            ("responses", status): told for status, told in operation["responses"].items() if status < "300"
        }
        if "requestBody" in operation:
            bodies["requestBody",] = operation["requestBody"]
        for place, body in bodies.items():
            told = body.get("content", {}).get(_JSON, {})
            if told.get("schema"):
                within = ("paths", path, method, *place, "content", _JSON, "schema")
                wrong[name, *place] = list(description.errors(within, told["example"]))
    assert {place: errors for place, errors in wrong.items() if errors} == {}
    assert len(wrong) > len(OPERATIONS)


def test_an_answer_with_a_missing_or_a_misnamed_field_is_found() -> None:
    description = Description(DOCUMENT)
    right = {"id": "s-1", "createdAt": "2026-05-04T10:11:12.345Z", "environment": "default", "projectId": "p-1"}
    page = {"page": 1, "limit": 50, "totalItems": 1, "totalPages": 1}

    def found(session: Mapping[str, Any]) -> list[str]:
        content = json.dumps({"data": [session], "meta": page}).encode()
        return list(description.violations("GET", "/sessions", status=200, content=content))

    assert found(right) == []
    assert found({name: value for name, value in right.items() if name != "projectId"}) != []
    assert found({**right, "project": "p-1"}) != []
    assert found({**right, "createdAt": "yesterday"}) != []
    assert found({**right, "environment": None}) != []


def test_a_status_that_is_not_described_is_found() -> None:
    description = Description(DOCUMENT)
    assert list(description.violations("GET", "/sessions/a/b", status=206, content=b"{}")) != []
    assert list(description.violations("GET", "/nothing", status=404, content=b"{}")) == []
