from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOON
from tests.integration.api.conftest import Api

HOUR = timedelta(hours=1)
TRACE_NAMES = (
    "id externalId timestamp name userId metadata release version projectId environment public bookmarked tags input "
    "output sessionId createdAt updatedAt "
)
TRACE_KEYS = frozenset(TRACE_NAMES.split())


@pytest.fixture
def three(api: Api) -> Api:
    make = api.stored.trace
    api.stored.insert(
        "traces",
        make("a2", session_id="a/b", timestamp=NOON + HOUR, environment="later", root_observation_id="root"),
        make("a1", session_id="a/b", user_id="ada", tags=["x"], input="hello"),
        make("b", session_id="second", timestamp=NOON + HOUR, environment="staging"),
        make("c", session_id="third", timestamp=NOON + 2 * HOUR),
        make("alone"),
    )
    api.stored.insert("observations", api.stored.observation("a2", "root", output="of the root"))
    return api


async def listed(api: Api, **params: Any) -> list[str]:
    got = await api.client.get("/sessions", params=params)
    assert got.status_code == 200, got.text
    return [each["id"] for each in got.json()["data"]]


async def test_sessions_are_listed_newest_first_and_narrowed(three: Api) -> None:
    assert await listed(three) == ["third", "second", "a/b"]
    assert await listed(three, limit=2, page=2) == ["a/b"]
    assert await listed(three, environment=["staging", "nowhere"]) == ["second"]
    assert await listed(three, environment="later") == []
    assert await listed(three, fromTimestamp="2026-11-20T13:00:00Z") == ["third", "second"]
    assert await listed(three, toTimestamp="2026-11-20T13:00:00Z") == ["a/b"]
    got = (await three.client.get("/sessions", params={"limit": 2})).json()
    assert got["meta"] == {"page": 1, "limit": 2, "totalItems": 3, "totalPages": 2}
    assert got["data"][1] == {
        "id": "second",
        "createdAt": "2026-11-20T13:00:00.000Z",
        "projectId": three.project.id,
        "environment": "staging",
    }


async def test_one_session_has_its_traces_oldest_first(three: Api) -> None:
    got = (await three.client.get("/sessions/a%2Fb")).json()
    assert {key: got[key] for key in ("id", "createdAt", "projectId", "environment")} == {
        "id": "a/b",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "projectId": three.project.id,
        "environment": "default",
    }
    first, second = got["traces"]
    assert set(first) == TRACE_KEYS
    assert (first["id"], first["userId"], first["tags"], first["input"]) == ("a1", "ada", ["x"], "hello")
    assert (second["id"], second["output"]) == ("a2", "of the root")


async def test_an_absent_session_is_not_found(api: Api) -> None:
    got = await api.client.get("/sessions/absent")
    assert (got.status_code, got.json()["error"]) == (404, "LangfuseNotFoundError")
    assert (await api.client.get("/sessions?page=0")).status_code == 400
