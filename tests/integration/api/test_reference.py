"""The API's description: complete, and readable without anything from elsewhere."""

import re
from typing import Any

import pytest

from tests.integration.api.access.routes import Access, ingest_routes, query_routes
from tests.integration.api.conftest import Api


@pytest.fixture
async def document(api: Api) -> dict[str, Any]:
    return dict((await api.client.get("/openapi.json")).json())


async def test_every_route_of_both_doors_is_described(document: dict[str, Any]) -> None:
    for route in [*query_routes(), *ingest_routes()]:
        if route.path.startswith("/api/public/"):
            operation = document["paths"][route.path.removeprefix("/api/public")][route.method.lower()]
            assert operation["tags"], str(route)
            assert operation.get("description") or operation["summary"], str(route)
            assert bool(operation["security"]) == (route.access is not Access.OPEN), str(route)


async def test_refusals_have_the_body_that_is_sent(api: Api, document: dict[str, Any]) -> None:
    refused = document["paths"]["/traces/{trace_id}"]["get"]["responses"]["404"]
    reference = refused["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    described = document["components"]["schemas"][reference]
    sent = (await api.client.get("/traces/nothing")).json()
    assert set(described["required"]) <= set(sent) <= set(described["properties"])
    assert "HTTPValidationError" not in str(document)


async def test_tags_are_explained_and_used(document: dict[str, Any]) -> None:
    used = {tag for path in document["paths"].values() for operation in path.values() for tag in operation["tags"]}
    explained = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert used == explained


async def test_the_page_needs_nothing_from_elsewhere(api: Api) -> None:
    page = (await api.client.get("/reference")).text
    wanted = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
    assert len(wanted) == 3
    for path in wanted:
        got = await api.client.get(path)
        assert (got.status_code, len(got.content) > 1_000) == (200, True), path
