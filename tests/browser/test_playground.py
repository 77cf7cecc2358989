"""The playground in the browser, against a provider that answers a word at a time."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, VIEWER, Site, sign_in
from tests.browser.evaluating import connect
from tests.provider import Provider, Reply, completion, error, serving


@pytest.fixture(scope="module")
def site(own_site: Site) -> Site:
    return own_site


@pytest.mark.timeout(300)
def test_an_answer_streams_and_the_prompt_is_saved_as_a_version(page: Page, site: Site) -> None:
    def reply(request: dict[str, object]) -> Reply:
        assert request["messages"] == [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Why is the sky blue?"},
        ]
        return completion("Because of **scattering**.")

    with serving(Provider(reply=reply, piece_seconds=0.2)) as provider:
        connect(site, provider.url)
        page.goto(f"/playground?project={site.full.id}")
        page.get_by_label("question").fill("Why is the sky blue?")
        page.get_by_label("Temperature").fill("0.5")
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.get_by_text("answering")).to_be_visible()
        expect(page.locator("strong", has_text="scattering")).to_be_visible()
        expect(page.get_by_text("230 tokens")).to_be_visible()
        expect(page.get_by_text(re.compile(r"\$0\.0000"))).to_be_visible()
        assert provider.requests[0]["temperature"] == 0.5
        page.get_by_label("Save as version of").fill("tried/sky")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved as version 1 of tried/sky")).to_be_visible()
        page.get_by_role("link", name="Open its trace").click()
        page.wait_for_url("**/trace?**")
        expect(page.get_by_text("Why is the sky blue?")).to_be_visible()
        page.goto(f"/playground?project={site.full.id}&prompt=tried/sky&version=1")
        expect(page.get_by_label("Content").nth(1)).to_have_value("{{question}}")
        expect(page.get_by_label("Temperature")).to_have_value("0.5")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_columns_run_side_by_side_and_say_what_went_wrong(page: Page, site: Site) -> None:
    def plan(number: int, request: dict[str, object]) -> Reply | None:
        del request
        return error(401, "Incorrect API key provided") if number == 1 else None

    with serving(Provider(plan=plan, reply=lambda _: completion("Yes."))) as provider:
        connect(site, provider.url)
        page.goto(f"/playground?project={site.full.id}")
        page.get_by_label("question").fill("Well?")
        page.get_by_role("button", name="Add column").click()
        expect(page.get_by_role("button", name="Run", exact=True)).to_have_count(2)
        page.get_by_role("button", name="Run all").click()
        expect(page.get_by_text("Yes.")).to_have_count(1)
        expect(page.get_by_text("refuses the key")).to_be_visible()
        expect(page.get_by_role("alert").get_by_text("Incorrect API key")).to_be_visible()


@pytest.mark.timeout(300)
def test_without_a_connection_the_playground_says_how_to_make_one(visitor: Page, site: Site) -> None:
    sign_in(visitor, PASSWORD, target=f"/playground?project={site.empty.id}")
    expect(visitor.get_by_role("heading", name="No model can be asked yet")).to_be_visible()
    expect(visitor.get_by_role("main").get_by_role("link", name="Settings").last).to_have_attribute(
        "href", re.compile("/settings")
    )


@pytest.mark.timeout(300)
def test_who_may_only_read_calls_no_model(visitor: Page, site: Site) -> None:
    sign_in(visitor, PASSWORD, email=VIEWER, target=f"/playground?project={site.full.id}")
    expect(visitor.get_by_text("Your role may not call models")).to_be_visible()
