import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

FIRST = f"{0:032x}"


def test_overview_shows_the_numbers_of_the_period(page: Page, site: Site) -> None:
    page.goto(f"/?project={site.full.id}&range=24h")
    cards = page.locator(".card")
    expect(cards).to_have_count(6)
    expect(cards.filter(has_text="Traces").locator(".number")).to_have_text("61")
    expect(cards.filter(has_text="Cost").locator(".number")).to_have_text("$15.00")
    expect(cards.filter(has_text="Error rate").locator(".number")).to_have_text("0.1%")
    expect(page.locator("canvas").first).to_be_visible()


def test_period_is_kept_in_the_address(page: Page, site: Site) -> None:
    page.goto(f"/?project={site.full.id}&range=1h")
    expect(page.locator(".card").filter(has_text="Traces").locator(".number")).to_have_text("9")
    page.get_by_label("Period").click()
    page.get_by_role("menuitem", name="24 hours").click()
    expect(page.locator(".card").filter(has_text="Traces").locator(".number")).to_have_text("61")
    expect(page).to_have_url(re.compile("range=24h"))


def test_project_without_traces_shows_how_to_send_the_first(page: Page, site: Site) -> None:
    page.goto(f"/?project={site.empty.id}")
    expect(page.locator("pre")).to_contain_text(site.public_key)
    expect(page.locator("pre")).to_contain_text(site.url)


def test_project_of_others_is_not_shown(page: Page) -> None:
    page.goto("/traces?project=someone-elses")
    expect(page.get_by_text("No such project")).to_be_visible()


def test_table_is_filtered_sorted_and_paged_by_the_server(page: Page, site: Site) -> None:
    page.goto(f"/traces?project={site.full.id}&range=24h&size=25")
    expect(page.locator("tbody tr")).to_have_count(25)
    expect(page.get_by_text("1–25 of 61 traces")).to_be_visible()
    page.get_by_label("Name contains").fill("chat")
    page.get_by_label("Name contains").press("Enter")
    expect(page.get_by_text("1–25 of 30 traces")).to_be_visible()
    page.get_by_role("button", name="Latency").click()
    expect(page.locator("tbody tr").first).to_contain_text("chat 59")
    expect(page.get_by_role("columnheader", name="Latency")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="Go to page 2").click()
    expect(page.locator("tbody tr")).to_have_count(5)
    expect(page).to_have_url(re.compile("named=chat.*sort=latency_ms.*page=2"))
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(5)


def test_table_shows_only_errors_when_asked(page: Page, site: Site) -> None:
    page.goto(f"/traces?project={site.full.id}&range=24h&level=ERROR")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("chat 7")


def test_row_leads_to_its_trace(page: Page, site: Site) -> None:
    page.goto(f"/traces?project={site.full.id}&range=24h&tag=vip")
    page.get_by_role("cell", name="chat 3", exact=True).click()
    page.wait_for_url("**/trace?**")
    expect(page.get_by_role("heading", name="chat 3")).to_be_visible()


def test_trace_shows_its_tree_and_the_selected_observation(page: Page, site: Site) -> None:
    page.goto(f"/trace?project={site.full.id}&trace={1:032x}")
    rows = page.get_by_role("treeitem")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("agent run")
    rows.filter(has_text="ask the model").click()
    expect(page.locator(".message.user strong")).to_have_text("you")
    expect(page).to_have_url(re.compile(f"observation={1:015x}b"))
    page.get_by_role("tab", name="Details").click()
    expect(page.get_by_text("gpt-4.1-mini")).to_be_visible()


def test_tree_is_walked_by_keyboard(page: Page, site: Site) -> None:
    page.goto(f"/trace?project={site.full.id}&trace={1:032x}")
    expect(page.get_by_role("treeitem")).to_have_count(3)
    page.get_by_role("tree").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("treeitem", selected=True)).not_to_contain_text("agent run")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("treeitem")).to_have_count(1)


def test_trace_of_a_thousand_observations_draws_only_those_in_sight(page: Page, site: Site) -> None:
    page.goto(f"/trace?project={site.full.id}&trace={'f' * 32}")
    expect(page.get_by_role("treeitem").first).to_contain_text("step 0")
    assert page.get_by_role("treeitem").count() < 100
    page.get_by_role("tree").focus()
    page.keyboard.press("End")
    expect(page.get_by_role("treeitem", selected=True)).to_be_visible()


def test_scripts_in_a_trace_never_run(page: Page, site: Site) -> None:
    page.goto(f"/traces?project={site.full.id}&range=24h")
    expect(page.locator("tbody tr").filter(has_text="<script>")).to_have_count(1)
    page.goto(f"/trace?project={site.full.id}&trace={FIRST}")
    for row in page.get_by_role("treeitem").all():
        row.click()
        for tab in ("Details", "Scores", "Input and output"):
            page.get_by_role("tab", name=tab).click()
    expect(page.get_by_text("window.hacked").first).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert page.locator("a[href^='javascript']").count() == 0


def test_theme_is_remembered(page: Page, site: Site) -> None:
    page.goto(f"/?project={site.empty.id}")
    page.get_by_role("button", name="Use the dark theme").click()
    expect(page.locator(".mui-dark").first).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Use the light theme")).to_be_visible()
