"""Evaluation runs in the browser: estimated, started under a budget, watched, steered and retried."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from dashboard.filter_text import text_of
from heliograph.domain.filters import equals
from tests.browser.conftest import PASSWORD, VIEWER, Site, sign_in
from tests.browser.evaluating import carried_out, connect, observe
from tests.provider import Provider, Reply, error, serving

GENERATIONS = text_of([equals("type", "GENERATION")])


@pytest.fixture(scope="module")
def site(own_site: Site) -> Site:
    return own_site


def draft(site: Site, *, where: str = GENERATIONS, **wanted: str) -> str:
    """The address of a run that is put together so far."""
    return "/run?" + urlencode({"project": site.full.id, "where": where, **wanted})


def of(environment: str) -> str:
    """A filter, as an address keeps it."""
    return text_of([equals("environment", environment)])


@pytest.mark.timeout(300)
def test_a_run_is_estimated_started_under_a_budget_and_watched(page: Page, site: Site) -> None:
    with serving(Provider(latency_seconds=0.05)) as provider, carried_out(site):
        connect(site, provider.url)
        page.goto(draft(site, evaluators="relevance"))
        page.get_by_label("Budget, US dollars").fill("1")
        page.get_by_label("Name").fill("Of the tests")
        page.get_by_role("button", name="Estimate").click()
        expect(page.get_by_text("60", exact=True).first).to_be_visible()
        expect(page.get_by_text(re.compile(r"\$0\.0\d+ to \$0\.\d+"))).to_be_visible()
        assert provider.requests == []
        page.get_by_role("button", name="Start the run").click()
        expect(page.get_by_role("heading", name="Of the tests")).to_be_visible()
        expect(page).to_have_url(re.compile("run="))
        expect(page.get_by_text("finished")).to_be_visible()
        expect(page.get_by_text("of $1.00, $0 reserved")).to_be_visible()
        expect(page.locator("table.small tr").filter(has_text="relevance")).to_contain_text("60")
        page.get_by_role("link", name="Runs", exact=True).click()
        expect(page.locator("tbody tr").filter(has_text="Of the tests")).to_contain_text("100%")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_is_paused_and_resumed(page: Page, site: Site) -> None:
    observe(site, "paused", 20)
    with serving(Provider(latency_seconds=5)) as provider, carried_out(site):
        connect(site, provider.url)
        page.goto(draft(site, where=of("paused"), since="90d", evaluators="helpfulness", budget="2"))
        page.get_by_role("button", name="Estimate").click()
        page.get_by_role("button", name="Start the run").click()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("status").filter(has_text="paused")).to_be_visible()
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("status").filter(has_text="finished")).to_be_visible()
        expect(page.locator("table.small tr").filter(has_text="helpfulness")).to_contain_text("20")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_out_of_money_goes_on_with_more_and_retries_what_failed(page: Page, site: Site) -> None:
    def plan(number: int, request: dict[str, object]) -> Reply | None:
        del request
        return error(400, "This prompt is not accepted") if number == 3 else None

    observe(site, "poor", 40)
    with serving(Provider(latency_seconds=0.05, plan=plan)) as provider, carried_out(site):
        connect(site, provider.url)
        page.goto(draft(site, where=of("poor"), since="90d", evaluators="helpfulness", budget="0.0015"))
        page.get_by_role("button", name="Estimate").click()
        expect(page.get_by_text("The budget of $0.0015")).to_be_visible()
        page.get_by_role("button", name="Start the run").click()
        expect(page.get_by_text("raise it, and resume")).to_be_visible()
        page.get_by_label("New budget").fill("2")
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("status").filter(has_text="finished")).to_be_visible()
        page.get_by_role("tab", name="Failures").click()
        expect(page.get_by_text("This prompt is not accepted")).to_be_visible()
        page.get_by_role("button", name="Retry what failed").click()
        expect(page.locator("tbody tr").filter(has_text="not accepted")).to_have_count(0)
        expect(page.get_by_role("status").filter(has_text="finished")).to_be_visible()


@pytest.mark.timeout(300)
def test_what_cannot_be_run_is_told_before_anything_is_spent(page: Page, site: Site) -> None:
    page.goto(draft(site, evaluators="matches_regex", sample="ten"))
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("alert").filter(has_text="'ten' is no number")).to_be_visible()
    page.get_by_label("Sample, percent").fill("100")
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("alert").filter(has_text="matches_regex")).to_be_visible()
    expect(page.get_by_role("button", name="Start the run")).to_be_disabled()


@pytest.mark.timeout(300)
def test_who_may_only_read_begins_no_run(visitor: Page, site: Site) -> None:
    sign_in(visitor, PASSWORD, email=VIEWER, target=draft(site))
    expect(visitor.get_by_text("Your role may look at what is evaluated")).to_be_visible()
    visitor.goto(f"/runs?project={site.empty.id}")
    expect(visitor.get_by_role("link", name="New run")).to_have_count(0)
