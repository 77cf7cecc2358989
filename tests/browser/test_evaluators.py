"""Evaluators in the browser: found in the catalogue, written, tried on what was traced, and kept in versions."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from evals.providers.library import litellm
from tests.browser.conftest import PASSWORD, VIEWER, XSS, Site, sign_in
from tests.browser.evaluating import connect
from tests.provider import Provider, Reply, completion, error, serving

VERDICT = json.dumps({"reasoning": f"It says **enough**. {XSS}", "score": 0.5})


@pytest.fixture(scope="module")
def site(own_site: Site) -> Site:
    return own_site


def test_the_catalogue_is_searched_and_an_entry_says_what_its_judge_is_asked(page: Page, site: Site) -> None:
    page.goto(f"/evaluators?project={site.full.id}")
    expect(page.get_by_role("heading", name=re.compile(r"Catalogue: (\d+) of \1"))).to_be_visible()
    page.get_by_label("Search evaluators").fill("faithful")
    page.get_by_label("Search evaluators").press("Enter")
    expect(page).to_have_url(re.compile("named=faithful"))
    page.get_by_role("link", name="faithfulness").click()
    page.wait_for_url("**/evaluator?**")
    expect(page.locator("pre", has_text="{{context}}")).to_be_visible()
    expect(page.get_by_text("RAGAS (2023)")).to_be_visible()
    page.get_by_role("link", name="Make it my own").click()
    expect(page.get_by_role("heading", name="New evaluator after faithfulness")).to_be_visible()
    expect(page.get_by_label("JSONPath of context")).to_be_visible()
    expect(page.get_by_label("Greatest")).to_have_value("5")


@pytest.mark.timeout(300)
def test_a_judge_is_tried_on_what_was_traced_and_kept_in_versions(page: Page, site: Site) -> None:
    def plan(number: int, request: dict[str, object]) -> Reply | None:
        del request
        return error(400, "No such thing") if number == 1 else None

    litellm()  # takes seconds, which are not those of a test's patience
    with serving(Provider(plan=plan, reply=lambda _: completion(VERDICT))) as provider:
        connect(site, provider.url)
        page.goto(f"/evaluator?project={site.full.id}&range=24h&kind=GENERATION")
        page.get_by_label("Name, which its scores have").fill("enough")
        page.get_by_role("textbox", name="Prompt").fill("Is {{answer}} enough for {{question}}?")
        page.get_by_label("JSONPath of question").fill("$[0].content")
        page.get_by_role("button", name="Try it on 3").click()
        expect(page.get_by_text("3 judged · 2 scored · 1 failed · cost $")).to_be_visible()
        expect(page.locator(".verdict .chip.strong")).to_have_text(["0.5", "0.5"])
        expect(page.locator(".verdict strong").first).to_have_text("enough")
        expect(page.locator(".verdict.failed")).to_contain_text("No such thing")
        assert page.evaluate("window.hacked") is None
        asked = json.dumps(provider.requests)
        assert "How are **you**?" in asked
        assert "[click](javascript:window.hacked=1) enough for" in asked
        expect(page.get_by_role("link", name="what the judge was asked")).to_have_count(3)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved as version 1.")).to_be_visible()
        page.get_by_role("tab", name="New version").click()
        page.get_by_role("textbox", name="Prompt").fill("Is {{answer}} short?")
        page.get_by_role("button", name="Save as next version").click()
        expect(page.get_by_text("Saved as version 2.")).to_be_visible()
        page.get_by_role("tab", name="Changes").click()
        expect(page.locator(".diff .added")).to_contain_text(["Is {{answer}} short?"])
        page.goto(f"/evaluators?project={site.full.id}&named=enough")
        expect(page.locator("tbody tr").first).to_contain_text("v2")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_code_is_tried_in_its_sandbox_and_says_how_it_failed(page: Page, site: Site) -> None:
    page.goto(f"/evaluator?project={site.full.id}&range=24h&type=code&about=trace")
    page.get_by_role("textbox", name="Code").fill("def evaluate(ctx):\n    return len(ctx.trace)\n")
    page.get_by_role("button", name="Try it on 3").click()
    expect(page.get_by_text("3 judged · 3 scored")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill("def evaluate(ctx):\n    return 1 / 0\n")
    page.get_by_role("button", name="Try it on 3").click()
    expect(page.get_by_text("3 judged · 3 failed")).to_be_visible()
    expect(page.locator(".verdict").first).to_contain_text("ZeroDivisionError")


def test_who_may_only_read_is_offered_no_evaluator_to_make(visitor: Page, site: Site) -> None:
    sign_in(visitor, PASSWORD, email=VIEWER, target=f"/evaluators?project={site.full.id}")
    expect(visitor.get_by_role("heading", name=re.compile("Catalogue"))).to_be_visible()
    expect(visitor.get_by_role("link", name="New judge")).to_have_count(0)
    visitor.goto(f"/evaluator?project={site.full.id}")
    expect(visitor.get_by_text("ask an admin of this project")).to_be_visible()
