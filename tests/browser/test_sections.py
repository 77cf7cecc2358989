import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, VIEWER, Site, sign_in

SECTIONS = [
    *("Overview", "Traces", "Observations", "Sessions", "Users", "Scores", "Prompts", "Playground", "Datasets"),
    *("Evaluation", "Annotation", "Dashboards", "Settings"),
]


def test_sections_are_reached_from_every_page_and_keep_the_scope(page: Page, site: Site) -> None:
    page.goto(f"/users?project={site.full.id}&range=24h&environment=staging")
    nav = page.get_by_role("navigation", name="Sections")
    expect(nav.get_by_role("link")).to_have_text([re.compile(title) for title in SECTIONS])
    expect(nav.get_by_role("link", name="Users")).to_have_attribute("aria-current", "page")
    expect(nav.get_by_role("link", name="Traces")).to_have_attribute(
        "href", f"/traces?project={site.full.id}&range=24h&environment=staging"
    )


def test_search_jumps_by_keyboard(page: Page, site: Site) -> None:
    page.goto(f"/settings?project={site.full.id}")
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("prom")
    page.keyboard.press("Enter")
    page.wait_for_url("**/prompts?**")


def test_sessions_are_listed_and_opened_as_a_conversation(page: Page, site: Site) -> None:
    page.goto(f"/sessions?project={site.full.id}&range=24h")
    expect(page.get_by_text("1–9 of 9 sessions")).to_be_visible()
    page.get_by_label("Session contains").fill("session-0")
    page.get_by_label("Session contains").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody tr").click()
    page.wait_for_url("**/session?**")
    expect(page.locator(".turn")).to_have_count(7)
    expect(page.get_by_text("window.hacked").first).to_be_visible()
    assert page.evaluate("window.hacked") is None


def test_users_are_ordered_by_the_server_and_lead_to_their_traces(page: Page, site: Site) -> None:
    page.goto(f"/users?project={site.full.id}&range=24h")
    expect(page.locator("tbody tr")).to_have_count(5)
    page.get_by_role("button", name="Traces").click()
    expect(page).to_have_url(re.compile("sort=trace_count"))
    expect(page.locator("tbody tr").first).to_contain_text("$3.00")
    page.locator("tbody tr").filter(has_text="user-3").click()
    page.wait_for_url("**/traces?**")
    expect(page.get_by_text("1–12 of 12 traces")).to_be_visible()


def test_scores_are_filtered_by_name_and_drawn(page: Page, site: Site) -> None:
    page.goto(f"/scores?project={site.full.id}&range=24h")
    named = re.compile("helpfulness|quality")
    expect(page.locator("table.small tbody tr").filter(has_text=named)).to_have_count(2)
    page.goto(f"/scores?project={site.full.id}&range=24h&score=quality")
    expect(page.get_by_text("1–40 of 40 scores")).to_be_visible()
    expect(page.get_by_role("heading", name="Distribution")).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()


def test_prompts_stand_in_folders_and_show_what_changed(page: Page, site: Site) -> None:
    page.goto(f"/prompts?project={site.full.id}&range=24h")
    page.get_by_role("cell", name="mail/").click()
    page.get_by_role("cell", name="reply").click()
    page.wait_for_url("**/prompt?**")
    expect(page.get_by_role("navigation", name="Versions").get_by_role("link")).to_have_count(2)
    page.get_by_role("tab", name="Changes").click()
    expect(page.locator(".diff .added")).to_contain_text("<script>")
    page.get_by_role("tab", name="Usage").click()
    expect(page.locator("table.small tbody tr")).to_contain_text("v2")
    expect(page.locator("table.small tbody tr")).to_contain_text("60")
    assert page.evaluate("window.hacked") is None


def test_next_version_is_saved_and_labelled(page: Page, site: Site) -> None:
    page.goto(f"/prompt?project={site.full.id}")
    page.get_by_label("Name").fill("greeting")
    page.get_by_role("textbox", name="Prompt").fill("Hello {{name}}")
    page.get_by_role("button", name="Save as next version").click()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    expect(page).to_have_url(re.compile("prompt=greeting&version=1"))
    page.get_by_role("tab", name="Labels").click()
    page.get_by_label("Labels to put on this version").fill("production, canary")
    page.get_by_role("button", name="Set labels").click()
    expect(page.locator(".versions .chip")).to_have_text(["canary", "latest", "production"])


def test_datasets_show_items_their_versions_and_runs_with_scores(page: Page, site: Site) -> None:
    page.goto(f"/datasets?project={site.full.id}")
    page.get_by_role("cell", name="questions").click()
    page.wait_for_url("**/dataset?**")
    page.get_by_role("tab", name="Runs (1)").click()
    expect(page.locator("table.small tbody tr")).to_contain_text("baseline")
    expect(page.locator("table.small tbody tr")).to_contain_text("0.025")
    page.get_by_role("tab", name="Items").click()
    page.get_by_role("cell", name="first").click()
    expect(page.locator(".diff .added")).to_contain_text("four")
    assert page.evaluate("window.hacked") is None


def test_a_trace_is_commented_on(page: Page, site: Site) -> None:
    page.goto(f"/trace?project={site.full.id}&trace={2:032x}")
    page.get_by_role("tab", name="Comments").click()
    page.get_by_role("textbox", name="Comment").fill("Too **slow**")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator(".remark")).to_contain_text("Ada")
    expect(page.locator(".remark strong")).to_have_text("slow")


def test_who_may_only_read_is_offered_no_change(visitor: Page, site: Site) -> None:
    sign_in(visitor, PASSWORD, email=VIEWER, target=f"/trace?project={site.full.id}&trace={0:032x}")
    visitor.get_by_role("tab", name="Comments").click()
    expect(visitor.locator(".remark")).to_contain_text("window.hacked")
    expect(visitor.get_by_role("button", name="Comment")).to_have_count(0)
    visitor.goto(f"/prompt?project={site.full.id}")
    expect(visitor.get_by_text("Your role may read prompts")).to_be_visible()
    assert visitor.evaluate("window.hacked") is None


def test_projects_without_prompts_or_datasets_say_how_to_make_the_first(page: Page, site: Site) -> None:
    for path, words in (("prompts", "create_prompt"), ("datasets", "create_dataset_item")):
        page.goto(f"/{path}?project={site.empty.id}")
        expect(page.locator("pre")).to_contain_text(words)
