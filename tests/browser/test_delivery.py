"""What a page consists of on its way to the browser."""

import gzip

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site


def test_scripts_are_sent_compressed_and_kept_by_the_browser(visitor: Page, site: Site) -> None:
    address = f"{site.url}/static/extensions/panel-material-ui/panel-material-ui.bundle.js?v=1"
    answer = visitor.request.get(address, headers={"Accept-Encoding": "gzip"})
    plain = visitor.request.get(address, headers={"Accept-Encoding": "identity"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(plain.body()) / 2
    assert answer.body() in {plain.body(), gzip.compress(plain.body())}
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers
    again = visitor.request.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status == 304


def test_fonts_are_sent_as_they_are(visitor: Page, site: Site) -> None:
    address = f"{site.url}/static/extensions/panel-material-ui/material-icons-LEZCGFVT.woff2"
    answer = visitor.request.get(address, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_frame_stands_in_the_colours_of_its_theme_until_the_page_is_drawn(
    page: Page, site: Site, theme: str
) -> None:
    page.context.add_cookies([{"name": "heliograph_theme", "value": theme, "url": site.url}])
    page.route("**/bokeh.min.js*", lambda _: None)
    page.goto(f"/traces?project={site.full.id}&range=24h", wait_until="commit")
    expect(page.locator("#loader")).to_be_visible()
    colour = page.locator("#loader").evaluate("node => getComputedStyle(node).backgroundColor")
    assert colour == {"light": "rgb(246, 247, 249)", "dark": "rgb(16, 20, 27)"}[theme]
