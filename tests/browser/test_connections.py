"""LLM connections in the settings: kept with a secret that is never shown, and tested; the default model."""

import re

import pytest
from playwright.sync_api import Page, expect

from storage.postgres.connection import opened
from storage.postgres.llm_connections import LlmConnections
from tests.browser.conftest import PASSWORD, SEAL, VIEWER, Site, arranged, sign_in
from tests.provider import Provider, Reply, completion, error, serving

KEY = "sk-of-the-browser-tests"


@pytest.fixture(scope="module")
def site(own_site: Site) -> Site:
    return own_site


async def _secret(site: Site) -> str:
    async with opened(site.stores.postgres_dsn) as database:
        return (await LlmConnections(database, site.full.id, SEAL).opened("typed")).secret_key


@pytest.mark.timeout(300)
def test_a_connection_is_tested_then_kept_and_its_model_is_the_default(page: Page, site: Site) -> None:
    def plan(number: int, request: dict[str, object]) -> Reply | None:
        del request
        return error(401, "Incorrect API key provided") if number == 0 else None

    with serving(Provider(plan=plan, reply=lambda _: completion("works"))) as provider:
        page.goto(f"/settings?project={site.full.id}")
        page.get_by_role("link", name="New connection").click()
        page.get_by_label("Name", exact=True).fill("typed")
        page.get_by_label("Secret key").fill(KEY)
        page.get_by_label("Base URL").fill(provider.url)
        page.get_by_label("Models, separated by commas").fill("gpt-4o-mini, other")
        page.get_by_role("button", name="Test").click()
        expect(page.get_by_role("alert").get_by_text("Incorrect API key")).to_be_visible()
        page.get_by_role("button", name="Test").click()
        expect(page.get_by_text('It works: "works"')).to_be_visible()
        page.get_by_role("button", name="Save the connection").click()
        expect(page.get_by_text("The connection typed is kept.")).to_be_visible()
        assert arranged(_secret(site)) == KEY
        assert KEY not in page.content()
        model = page.get_by_role("combobox", name="Model")
        model.fill("typed / gpt-4o-mini")
        model.press("ArrowDown")
        model.press("Enter")
        page.get_by_role("button", name="Make it the default").click()
        expect(page.get_by_text("Judges that name no model ask typed / gpt-4o-mini.")).to_be_visible()
        page.get_by_role("button", name="Have none").click()
        expect(page.get_by_text("Judges that name no model cannot run.")).to_be_visible()


def test_who_may_only_read_is_offered_no_connection_to_make(visitor: Page, site: Site) -> None:
    sign_in(visitor, PASSWORD, email=VIEWER, target=f"/settings?project={site.full.id}&connection=%2B")
    expect(visitor.get_by_role("heading", name="LLM connections")).to_be_visible()
    expect(visitor.get_by_role("button", name=re.compile("Save the connection|Test"))).to_have_count(0)
