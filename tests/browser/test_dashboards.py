"""Dashboards in the browser: looked at, made of widgets, arranged, shared and refused to who may only read."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, PATIENCE_MILLISECONDS, VIEWER, Site, sign_in


def make(page: Page, site: Site, name: str) -> None:
    """Make a dashboard, and open it."""
    page.goto(f"/dashboards?project={site.full.id}&range=24h")
    page.get_by_label("Name of a new dashboard").fill(name)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text(f"Made {name}.")).to_be_visible()
    page.get_by_role("link", name=name).click()
    page.wait_for_url("**/dashboard?**")


def add_widget(page: Page, name: str, chart: str) -> None:
    """Add a widget of traces, as it is proposed but for its name and chart."""
    page.get_by_role("link", name="Add widget").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Chart").click()
    page.get_by_role("menuitem", name=chart, exact=True).click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"Saved {name}.")).to_be_visible()
    expect(page.get_by_role("region", name=name)).to_be_visible()


def test_managed_dashboards_stand_first_and_draw_every_widget(page: Page, site: Site) -> None:
    page.goto(f"/dashboards?project={site.full.id}&range=24h")
    expect(page.locator("tbody tr").first).to_contain_text("Latency")
    page.get_by_role("link", name="Latency").click()
    expect(page.get_by_role("region")).to_have_count(11)
    expect(page.get_by_role("region", name="Median of a trace")).to_contain_text("3.00 s")
    expect(page.locator(".notice")).to_have_count(0)
    expect(page.get_by_role("button", name="Arrange")).to_have_count(0)


@pytest.mark.slow
def test_a_dashboard_is_built_and_opened_by_its_address_in_a_second_session(
    page: Page, site: Site, browser: Browser
) -> None:
    make(page, site, "Board of Ada")
    add_widget(page, "How many", "Number")
    add_widget(page, "When", "Bars over time")
    expect(page.get_by_role("region", name="How many")).to_contain_text("61")
    page.get_by_role("button", name="Arrange").click()
    size = page.get_by_role("button", name="Resize How many")
    size.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("How many: column 1, row 1, 7 wide, 3 high")).to_be_attached()
    move = page.get_by_role("button", name="Move How many", exact=True)
    box = move.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 405, box["y"] + 5, steps=5)
    page.mouse.up()
    expect(page.get_by_text(re.compile("How many: column [4-6], row 1, 7 wide, 3 high"))).to_be_attached()
    page.wait_for_timeout(2_000)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=site.url)
    other = context.new_page()
    other.set_default_timeout(PATIENCE_MILLISECONDS)
    sign_in(other, PASSWORD, email=VIEWER, target=page.url.removeprefix(site.url))
    cell = other.get_by_role("region", name="How many")
    expect(cell).to_contain_text("61")
    assert re.match(r"[4-6] / span 7", cell.evaluate("cell => cell.style.gridColumn"))
    expect(other.get_by_role("button", name="Arrange")).to_have_count(0)
    context.close()


@pytest.mark.slow
def test_a_managed_dashboard_is_copied_and_the_copy_renamed_and_deleted(page: Page, site: Site) -> None:
    page.goto(f"/dashboard?project={site.full.id}&range=24h&dashboard=heliograph-cost")
    page.get_by_role("button", name="Duplicate").click()
    expect(page.get_by_text("This is Cost (copy)")).to_be_visible()
    expect(page).not_to_have_url(re.compile("heliograph-cost"))
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Our money")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="Our money")).to_be_visible()
    page.get_by_role("button", name="Arrange").click()
    page.get_by_role("button", name="Remove By environment").click()
    expect(page.get_by_role("region")).to_have_count(9)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    page.get_by_role("link", name="All dashboards").click()
    page.wait_for_url("**/dashboards?**")
    expect(page.locator("tbody tr").first).to_be_visible()
    expect(page.get_by_role("link", name="Our money")).to_have_count(0)


def test_who_may_only_read_makes_no_dashboard(visitor: Page, site: Site) -> None:
    target = f"/dashboard?project={site.full.id}&dashboard=heliograph-usage"
    sign_in(visitor, PASSWORD, email=VIEWER, target=target)
    expect(visitor.get_by_role("region").first).to_be_visible()
    expect(visitor.get_by_role("button", name="Duplicate")).to_have_count(0)
    visitor.goto(f"/dashboards?project={site.full.id}")
    expect(visitor.locator("tbody tr").first).to_be_visible()
    expect(visitor.get_by_label("Name of a new dashboard")).to_have_count(0)
