"""Filters of tables in the browser: put together by keyboard with what occurs, kept in the address, and left again."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from dashboard.filter_text import conditions_of
from heliograph.domain.filters import equals
from heliograph.domain.own_traces import JUDGES_ENVIRONMENT
from storage.clickhouse.connection import connect_blocking
from tests import factories
from tests.browser.conftest import Site


@pytest.fixture(scope="module")
def site(own_site: Site) -> Site:
    return own_site


def _judged(site: Site) -> None:
    at = datetime.now(UTC)
    row = factories.trace(
        site.full.id, "judged", name="Evaluation: quality", environment=JUDGES_ENVIRONMENT, timestamp=at
    )
    client = connect_blocking(site.stores.clickhouse, site.stores.clickhouse_url)
    client.insert_arrow("traces", factories.table("traces", [row]))
    client.close()


def test_a_condition_is_put_together_by_keyboard_from_what_occurs_and_is_in_the_address(page: Page, site: Site) -> None:
    page.goto(f"/traces?project={site.full.id}&range=24h")
    expect(page.get_by_text("61 traces")).to_be_visible()
    page.get_by_role("button", name="Filter", exact=True).press("Enter")
    page.get_by_label("Where").press("Enter")
    page.get_by_role("menuitem", name="user id").press("Enter")
    value = page.get_by_role("combobox", name="Value")
    value.press_sequentially("user-3")
    expect(page.get_by_role("option", name="user-3")).to_be_visible()
    value.press("ArrowDown")
    value.press("Enter")
    expect(page.get_by_text("1–12 of 12 traces")).to_be_visible()
    expect(page.get_by_role("button", name="Filter (1)")).to_be_visible()
    written = parse_qs(urlsplit(page.url).query)["filter"][0]
    assert conditions_of(written) == (equals("userId", "user-3"),)
    page.reload()
    expect(page.get_by_text("1–12 of 12 traces")).to_be_visible()
    page.get_by_role("button", name="Filter (1)").click()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("61 traces")).to_be_visible()


def test_what_judges_asked_is_counted_only_when_it_is_wanted(page: Page, site: Site) -> None:
    _judged(site)
    page.goto(f"/traces?project={site.full.id}&range=24h")
    expect(page.get_by_text("61 traces")).to_be_visible()
    page.get_by_label("Judges' calls").check()
    expect(page.get_by_text("62 traces")).to_be_visible()
    expect(page).to_have_url(re.compile("own=shown"))
