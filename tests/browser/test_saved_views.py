"""Views of tables that people keep, in the browser."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, VIEWER, Site, sign_in


def test_a_view_is_kept_with_its_columns_and_shown_to_others(page: Page, visitor: Page, site: Site) -> None:
    page.goto(f"/traces?project={site.full.id}&range=24h&level=ERROR")
    expect(page.get_by_text("1–1 of 1 traces")).to_be_visible()
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Session").uncheck()
    expect(page.get_by_role("columnheader", name="Session")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save view").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("failures")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(re.compile("hidden=session_id.*view="))
    page.get_by_label("View", exact=True).click()
    page.get_by_role("menuitem", name="No saved view").click()
    expect(page.get_by_role("columnheader", name="Session")).to_be_visible()
    page.context.clear_cookies()
    sign_in(visitor, PASSWORD, email=VIEWER)
    expect(visitor.get_by_text(VIEWER)).to_be_visible()
    visitor.goto(f"/traces?project={site.full.id}")
    expect(visitor.locator("tbody tr").first).to_be_visible()
    visitor.get_by_label("View", exact=True).click()
    visitor.get_by_role("menuitem", name="failures").click()
    expect(visitor.get_by_text("1–1 of 1 traces")).to_be_visible()
    expect(visitor.get_by_role("columnheader", name="Session")).to_have_count(0)
    expect(visitor.get_by_role("button", name="Save view")).to_have_count(0)
