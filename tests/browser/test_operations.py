"""The page of operations in the browser: what is behind, what is blocked and cleared, and who may look."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, VIEWER, Site, sign_in
from tests.browser.evaluating import connect
from tests.browser.rules import block, kept_rule


@pytest.fixture(scope="module")
def site(own_site: Site) -> Site:
    return own_site


def test_what_is_behind_is_shown_and_what_is_blocked_is_cleared(page: Page, site: Site) -> None:
    connect(site, "http://127.0.0.1:9/v1")
    block(site, kept_rule(site, "Answers are short"))
    page.goto(f"/settings?project={site.full.id}")
    page.get_by_role("link", name="Operations").click()
    expect(page.get_by_role("alert").filter(has_text="Lane 0: 2 segments could not be merged")).to_be_visible()
    lane = page.get_by_role("row").filter(has_text="400 ms")
    expect(lane).to_contain_text("500")
    expect(page.get_by_role("row").filter(has_text="house")).to_contain_text("no limit met")
    expect(page.get_by_text("Its code failed too often.")).to_be_visible()
    page.get_by_role("button", name="Clear and resume").click()
    expect(page.get_by_text("Its code failed too often.")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="Answers are short")).to_contain_text("active")


def test_who_is_no_admin_sees_nothing_of_the_stack(visitor: Page, site: Site) -> None:
    sign_in(visitor, PASSWORD, email=VIEWER, target=f"/operations?project={site.full.id}")
    expect(visitor.get_by_text("Only admins of this project see how the stack is doing")).to_be_visible()
    expect(visitor.get_by_text("Lane")).to_have_count(0)
