"""From the Authorization header to a principal, or to a refusal that says why."""

import base64

import httpx
import pytest
from fastapi import FastAPI

from serve_apps import authentication, problems
from serve_apps.authentication import ProjectPrincipal, ScoresPrincipal
from serve_apps.limits import unlimited
from tests.unit.serve_apps.doors import KEY, SECRET, KeysInMemory


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


async def ask(path: str, authorization: str | None) -> httpx.Response:
    app = FastAPI()
    authentication.install(app, KeysInMemory(), unlimited())
    problems.install(app)

    @app.get("/project")
    async def project(principal: ProjectPrincipal) -> str:
        return principal.project_id

    @app.get("/scores")
    async def scores(principal: ScoresPrincipal) -> str:
        return principal.project_id

    headers = {"authorization": authorization} if authorization is not None else {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://heliograph") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize(
    "authorization", [basic(f"{KEY}:{SECRET}"), basic(f"{KEY}:{SECRET}").replace("Basic", "bAsIc")]
)
async def test_key_pair_opens_every_route(authorization: str) -> None:
    assert (await ask("/project", authorization)).json() == "project-1"
    assert (await ask("/scores", authorization)).json() == "project-1"


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        (None, "No credentials were sent"),
        ("", "No credentials were sent"),
        ("Basic", "No credentials were sent"),
        ("Basic ???", "not base64"),
        ("Basic " + base64.b64encode(b"\xff\xfe").decode(), "not base64"),
        (basic("no colon"), "no colon"),
        ("Digest abc", "neither Basic nor Bearer"),
        (basic(f"{KEY}:"), "secret is wrong"),
    ],
)
async def test_unusable_credentials_are_a_401_that_says_why(authorization: str | None, words: str) -> None:
    response = await ask("/project", authorization)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Basic")
    assert words in response.json()["message"]
    assert response.json()["message"].endswith("Confirm that you've configured the correct host.")


async def test_public_key_alone_is_a_403_but_for_scores() -> None:
    refused = await ask("/project", f"Bearer {KEY}")
    assert refused.status_code == 403
    assert "secret key" in refused.json()["message"]
    assert (await ask("/scores", f"Bearer {KEY}")).status_code == 200


async def test_unknown_public_key_alone_is_a_401() -> None:
    assert (await ask("/project", "Bearer pk-lf-other")).status_code == 401
    assert (await ask("/scores", "Bearer pk-lf-other")).status_code == 401


async def test_key_of_an_organization_is_a_403() -> None:
    response = await ask("/project", basic(f"pk-lf-organization:{SECRET}"))
    assert response.status_code == 403
    assert "organization" in response.json()["message"]
