"""Many traces at once, in the browser."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.test_annotation import queue_of


@pytest.mark.timeout(300)
def test_chosen_traces_go_into_a_dataset_a_queue_and_a_file(page: Page, site: Site) -> None:
    queue_id = queue_of(site, 0)
    page.goto(f"/traces?project={site.full.id}&range=24h&named=chat")
    for name in ("Choose chat 1", "Choose chat 3"):
        page.get_by_label(name, exact=True).check()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Export JSON lines").click()
    lines = Path(downloading.value.path()).read_text("utf-8").splitlines()
    assert {json.loads(line)["name"] for line in lines} == {"chat 1", "chat 3"}
    page.get_by_role("button", name="Add to queue").click()
    expect(page.get_by_text("2 items added to the queue.")).to_be_visible()
    page.get_by_label("Choose chat 1", exact=True).check()
    page.get_by_role("button", name="Add to dataset").click()
    expect(page.get_by_text("1 item added to questions")).to_be_visible()
    page.get_by_label("Choose all rows").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("button", name="Delete for good")).to_have_count(0)
    page.goto(f"/queue?project={site.full.id}&queue={queue_id}")
    expect(page.get_by_text("0 of 2").first).to_be_visible()
