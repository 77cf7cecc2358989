"""Connections to providers of models: their secrets go in, and only the server gets them back."""

import uuid
from typing import Any

import pytest
from langfuse.api import LlmConnection as SdkConnection
from langfuse.api import PaginatedLlmConnections
from langfuse.api.core.pydantic_utilities import parse_obj_as
from sqlalchemy import text

from heliograph.domain.not_found import LlmConnectionNotFound
from storage.postgres.audit_log import AuditLog
from storage.postgres.llm_connections import LlmConnections
from storage.postgres.projects import Projects
from storage.seal import Seal, SecretUnreadable
from tests.integration.api.conftest import ORGANIZATION_KEY, SECRET, Api

KEY = "sk-very-secret-key"
OPENAI: dict[str, Any] = {"provider": "openai", "adapter": "openai", "secretKey": KEY}


async def put(api: Api, **changes: Any) -> dict[str, Any]:
    answer = await api.client.put("/llm-connections", json=OPENAI | changes)
    assert answer.status_code in {200, 201}, answer.text
    return dict(answer.json())


async def test_a_connection_is_kept_and_replaced_without_its_secret_ever_coming_back(api: Api) -> None:
    first = await api.client.put(
        "/llm-connections",
        json=OPENAI | {"customModels": ["mine"], "extraHeaders": {"X-Team": "of-the-team"}, "withDefaultModels": False},
    )
    assert first.status_code == 201
    made = parse_obj_as(SdkConnection, first.json())
    assert (made.display_secret_key, made.extra_header_keys, made.custom_models) == ("...-key", ["X-Team"], ["mine"])
    assert made.with_default_models is False

    second = await api.client.put("/llm-connections", json=OPENAI | {"secretKey": "another-secret"})
    assert (second.status_code, second.json()["id"]) == (200, made.id)
    assert (second.json()["customModels"], second.json()["withDefaultModels"]) == ([], True)
    listed = await api.client.get("/llm-connections")
    assert [one.id for one in parse_obj_as(PaginatedLlmConnections, listed.json()).data] == [made.id]
    for secret in (KEY, "of-the-team", "another-secret"):
        assert secret not in first.text + second.text + listed.text
        assert secret not in str(await AuditLog(api.database).latest(10, project_id=api.project.id))


async def test_the_server_gets_the_secrets_and_nobody_reads_them_in_the_store(api: Api) -> None:
    await put(api, extraHeaders={"X-Team": "of-the-team"})
    connections = LlmConnections(api.database, api.project.id, Seal("key of the tests"))
    opened = await connections.opened("openai")
    assert (opened.secret_key, opened.extra_headers) == (KEY, {"X-Team": "of-the-team"})
    assert KEY not in repr(opened)
    async with api.database.transaction() as session:
        query = text("SELECT row_to_json(llm_connections)::text FROM llm_connections WHERE project_id = :project")
        stored = await session.scalar(query, {"project": api.project.id})
    assert KEY not in str(stored)
    assert "of-the-team" not in str(stored)


async def test_a_rotated_key_still_opens_what_an_earlier_one_sealed(api: Api) -> None:
    await put(api)

    def connections(*keys: str) -> LlmConnections:
        return LlmConnections(api.database, api.project.id, Seal(keys[0], keys[1:]))

    assert (await connections("fresh", "key of the tests").opened("openai")).secret_key == KEY
    with pytest.raises(SecretUnreadable):
        await connections("fresh").opened("openai")
    async with api.database.transaction() as session:
        moved = text("UPDATE llm_connections SET provider = 'moved' WHERE project_id = :project")
        await session.execute(moved, {"project": api.project.id})
    with pytest.raises(SecretUnreadable):
        await connections("key of the tests").opened("moved")


async def test_deletion(api: Api) -> None:
    made = await put(api)
    gone = await api.client.delete(f"/llm-connections/{made['id']}")
    assert (gone.status_code, gone.json()) == (200, {"message": "LLM connection successfully deleted"})
    assert (await api.client.delete(f"/llm-connections/{made['id']}")).status_code == 404
    with pytest.raises(LlmConnectionNotFound):
        await LlmConnections(api.database, api.project.id, Seal("key of the tests")).opened("openai")


async def test_another_project_has_none_of_it(api: Api) -> None:
    made = await put(api)
    other = await Projects(api.database).create(f"project {uuid.uuid4()}", organization_name="The organization")
    theirs = LlmConnections(api.database, other.id, Seal("key of the tests"))
    with pytest.raises(LlmConnectionNotFound):
        await theirs.delete(made["id"])
    with pytest.raises(LlmConnectionNotFound):
        await theirs.opened("openai")


async def test_the_key_of_an_organization_opens_none_of_it(api: Api) -> None:
    for method, route in (("GET", ""), ("PUT", ""), ("DELETE", "/c")):
        answer = await api.client.request(method, f"/llm-connections{route}", auth=(ORGANIZATION_KEY, SECRET))
        assert answer.status_code == 403


async def test_connections_page_to_the_end(api: Api) -> None:
    made = [(await put(api, provider=f"p{number}"))["id"] for number in range(3)]
    pages = [(await api.client.get("/llm-connections", params={"limit": 2, "page": page})).json() for page in (1, 2, 3)]
    assert [one["id"] for page in pages for one in page["data"]] == made
    assert pages[0]["meta"] == {"page": 1, "limit": 2, "totalItems": 3, "totalPages": 2}


@pytest.mark.parametrize(
    "change",
    [
        {"baseURL": "https://8.8.8.8/v1"},
        {"adapter": "azure", "baseURL": "http://127.0.0.1:9/v1"},
        {"adapter": "bedrock", "config": {"region": "eu-central-1"}},
        {"adapter": "google-vertex-ai", "config": {"location": "europe-west1"}},
        {"adapter": "google-ai-studio"},
        {"adapter": "anthropic"},
    ],
)
async def test_every_adapter_is_taken(api: Api, change: dict[str, Any]) -> None:
    made = await put(api, **change)
    assert {name: made[name] for name in change} == change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"adapter": "abacus"}, "adapter"),
        ({"secretKey": ""}, "secretKey"),
        ({"provider": ""}, "provider"),
        ({"baseURL": "file:///etc/passwd"}, "baseURL"),
        ({"baseURL": "http://user:word@8.8.8.8"}, "baseURL"),
        ({"baseURL": "http://169.254.169.254/latest"}, "baseURL"),
        ({"baseURL": "http://[::ffff:10.0.0.1]/"}, "baseURL"),
        ({"baseURL": "http://8.8.8.8:99999/"}, "baseURL"),
        ({"adapter": "azure"}, "baseURL"),
        ({"adapter": "bedrock"}, "config.region"),
        ({"config": {"region": "x"}}, "config"),
        ({"secretKey": "__BEDROCK_DEFAULT_CREDENTIALS__"}, "secretKey"),
        ({"extraHeaders": {"Host": "x"}}, "extraHeaders"),
        ({"extraHeaders": {"X": "a\r\nY: b"}}, "extraHeaders"),
        ({"customModels": "gpt"}, "customModels"),
    ],
)
async def test_what_cannot_be_a_connection_is_refused_by_field(api: Api, change: dict[str, Any], named: str) -> None:
    answer = await api.client.put("/llm-connections", json=OPENAI | change)
    assert answer.status_code == 400
    told = answer.json()
    assert named in (told["message"] if isinstance(told["error"], str) else str(told["error"][0]["path"]))
    assert KEY not in answer.text
