"""What arrives, and what is selected by its time, in the browser."""

import re
from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from storage.clickhouse.connection import connect_blocking
from tests import factories
from tests.browser.conftest import PASSWORD, STRANGER, Site, sign_in


def _arrives(site: Site, trace_id: str) -> None:
    row = factories.trace(site.strange.id, trace_id, name=f"arrived {trace_id}", timestamp=datetime.now(UTC))
    client = connect_blocking(site.stores.clickhouse, site.stores.clickhouse_url)
    client.insert_arrow("traces", factories.table("traces", [row]))
    client.close()


def test_new_traces_appear_by_themselves_until_the_tail_is_paused(visitor: Page, site: Site) -> None:
    _arrives(site, "first")
    sign_in(visitor, PASSWORD, email=STRANGER)
    expect(visitor.get_by_text(STRANGER)).to_be_visible()
    visitor.goto(f"/traces?project={site.strange.id}&range=1h&live=on")
    expect(visitor.locator("tbody tr").first).to_contain_text("arrived first")
    _arrives(site, "second")
    expect(visitor.locator("tbody tr").first).to_contain_text("arrived second")
    visitor.get_by_label("Live").uncheck()
    expect(visitor).not_to_have_url(re.compile("live=on"))


def test_a_stretch_of_the_strip_is_selected_and_left_again(page: Page, site: Site) -> None:
    page.goto(f"/traces?project={site.full.id}&range=24h")
    expect(page.get_by_text("61 traces")).to_be_visible()
    strip = page.locator("canvas").first
    expect(strip).to_be_visible()
    box = strip.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.9, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=4)
    page.mouse.move(box["x"] + box["width"] * 0.98, middle, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("after=.*before="))
    expect(page.get_by_text("61 traces")).to_have_count(0)
    page.get_by_role("button", name="Show the whole period").click()
    expect(page.get_by_text("61 traces")).to_be_visible()
