import httpx
from langfuse.api.health.types.health_response import HealthResponse
from langfuse.api.projects.types.projects import Projects as SdkProjects

import heliograph
from heliograph.settings import Settings
from serve_apps.api.dependencies import QueryDependencies
from serve_apps.query_api import query_application
from storage.clickhouse.connection import ClickHouse
from storage.postgres.connection import Database
from storage.postgres.prompt_cache import PromptCache
from tests.factories import NOON
from tests.integration.api.conftest import Api, OneKey, administration, deletion_requests, direct_media


async def test_health_tells_the_version_without_a_key(api: Api) -> None:
    got = await api.client.get("/health", auth=httpx.Auth())
    assert got.status_code == 200
    assert HealthResponse.model_validate(got.json()).version == heliograph.__version__
    assert got.json()["status"] == "OK"
    assert (await api.client.get("/ready")).status_code == 200


async def test_a_store_that_is_away_makes_it_unready_and_ill_on_request(api: Api, settings: Settings) -> None:
    absent = ClickHouse(settings.clickhouse, "http://127.0.0.1:9")
    database = Database(settings.postgres_dsn)
    app = query_application(
        QueryDependencies(
            absent,
            database,
            OneKey(api.project),
            deletion_requests(database, api.tombstones),
            direct_media(settings),
            PromptCache(database),
            administration(database),
        )
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        assert (await client.get("/health")).status_code == 200
        ill = await client.get("/health?failIfDatabaseUnavailable=true")
        assert (ill.status_code, ill.json()["stores"]["clickhouse"]) == (503, "unavailable")
        assert (await client.get("/ready")).status_code == 503
        away = await client.get("/traces", auth=api.client.auth)
        assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    await database.close()


async def test_silence_is_an_illness_only_on_request(api: Api) -> None:
    api.stored.insert("traces", api.stored.trace("old", updated_at=NOON))
    assert (await api.client.get("/health?failIfNoRecentEvents=false")).status_code == 200


async def test_the_project_of_the_key_is_listed(api: Api) -> None:
    got = await api.client.get("/projects")
    (project,) = SdkProjects.model_validate(got.json()).data
    assert (project.id, project.name, project.organization.name) == (
        api.project.id,
        api.project.name,
        "The organization",
    )
    assert got.json()["data"][0]["metadata"] == {}


async def test_a_wrong_secret_is_refused_with_the_hint_that_sdks_show(api: Api) -> None:
    got = await api.client.get("/projects", auth=("pk-lf-1", "sk-lf-wrong"))
    assert got.status_code == 401
    assert got.json()["message"].endswith("Confirm that you've configured the correct host.")


async def test_browsers_of_any_origin_may_ask(api: Api) -> None:
    asked = {"origin": "https://elsewhere.example", "access-control-request-method": "GET"}
    got = await api.client.options("/traces", headers=asked)
    assert got.status_code == 200
    assert got.headers["access-control-allow-origin"] == "*"


async def test_every_route_is_in_the_description_under_its_tag(api: Api) -> None:
    paths = (await api.client.get("/openapi.json")).json()["paths"]
    assert {"/health", "/ready", "/projects", "/traces", "/traces/{trace_id}", "/v2/observations"} <= set(paths)
    assert all(operation["tags"] for path in paths.values() for operation in path.values())


async def test_routes_are_found_below_the_prefix_of_the_deployment(api: Api, settings: Settings) -> None:
    database = Database(settings.postgres_dsn)
    app = query_application(
        QueryDependencies(
            api.stored.clickhouse,
            database,
            OneKey(api.project),
            deletion_requests(database, api.tombstones),
            direct_media(settings),
            PromptCache(database),
            administration(database),
        )
    )
    transport = httpx.ASGITransport(app, root_path="/api/public")
    async with httpx.AsyncClient(transport=transport, base_url="http://here", auth=api.client.auth) as client:
        assert (await client.get("/api/public/health")).status_code == 200
        assert (await client.get("/api/public/v2/observations")).json() == {"data": [], "meta": {}}
    await database.close()
