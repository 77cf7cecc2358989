"""The list of observations, in the browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site


@pytest.fixture(scope="module")
def site(own_site: Site) -> Site:
    return own_site


def test_observations_are_narrowed_sorted_and_lead_into_their_trace(page: Page, site: Site) -> None:
    page.goto(f"/observations?project={site.full.id}&range=24h&size=25&type=GENERATION")
    rows = page.locator("tbody tr")
    expect(page.get_by_text("1–25 of 60 observations")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page).to_have_url(re.compile("order=asc"))
    expect(rows.first).to_contain_text(f"{59:032x}")
    expect(rows.first).to_contain_text("gpt-4.1-mini")
    expect(rows.first).to_contain_text("mail/reply v2")
    rows.first.click()
    page.wait_for_url(f"**/trace?**observation={59:015x}b*")
    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("ask the model")


def test_control_row_narrows_lists_by_tag_and_model_and_is_kept_from_page_to_page(page: Page, site: Site) -> None:
    page.goto(f"/traces?project={site.full.id}&range=24h")
    expect(page.get_by_text("61 traces")).to_be_visible()
    page.get_by_label("Tag", exact=True).fill("vip")
    page.get_by_role("option", name="vip").click()
    expect(page.get_by_text("1–1 of 1 traces")).to_be_visible()
    expect(page).to_have_url(re.compile("tag=vip"))
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Sessions").click()
    expect(page.get_by_text("1–1 of 1 sessions")).to_be_visible()
    page.goto(f"/observations?project={site.full.id}&range=24h&model=none")
    expect(page.get_by_text("No observations match these filters.")).to_be_visible()
