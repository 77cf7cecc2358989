"""Evaluation rules in the browser: made, changed, paused with a reason, and deleted."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, VIEWER, Site, sign_in
from tests.browser.rules import block, kept_evaluator


@pytest.mark.timeout(300)
def test_a_rule_is_made_paused_resumed_and_deleted(page: Page, site: Site) -> None:
    page.goto(f"/rule?project={site.full.id}&by={kept_evaluator(site, 'short')}")
    page.get_by_label("Name").fill("Answers are short")
    page.get_by_label("Sample, percent").fill("ten")
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_role("alert").filter(has_text="'ten' is no number")).to_be_visible()
    page.get_by_label("Sample, percent").fill("10")
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_role("heading", name="Answers are short")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="active")).to_be_visible()
    expect(page).to_have_url(re.compile("rule="))
    (rule_id,) = re.findall(r"[?&]rule=(\w+)", page.url)
    block(site, rule_id)
    page.get_by_role("link", name="Rules", exact=True).click()
    listed = page.locator("tbody tr").filter(has_text="Answers are short")
    expect(listed).to_contain_text("paused: eval failing")
    expect(listed).to_contain_text("10.0%")
    listed.get_by_role("link").click()
    expect(page.get_by_role("alert").filter(has_text="Its code failed too often.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status").filter(has_text="active")).to_be_visible()
    page.get_by_role("tab", name="Delete").click()
    page.get_by_role("button", name="Delete this rule").click()
    expect(page.get_by_text("The rule is deleted.")).to_be_visible()


@pytest.mark.timeout(300)
def test_who_may_only_read_makes_no_rule(visitor: Page, site: Site) -> None:
    sign_in(visitor, PASSWORD, email=VIEWER, target=f"/rule?project={site.full.id}")
    expect(visitor.get_by_text("Your role may look at what is evaluated")).to_be_visible()
