"""What called what in a trace, in the browser."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site


def test_graph_shows_what_called_what_and_leads_to_the_observation(page: Page, site: Site) -> None:
    page.goto(f"/trace?project={site.full.id}&trace={1:032x}&picture=graph")
    nodes = page.locator("svg a.node")
    expect(nodes).to_have_count(3)
    nodes.filter(has_text="ask the model").click()
    page.wait_for_url(f"**observation={1:015x}b*")
    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("ask the model")
