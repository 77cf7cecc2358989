"""Who belongs to one project sees nothing of another, by any address or message."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, WebSocket, expect

from dashboard.app import PAGES
from tests.browser.conftest import PASSWORD, STRANGER, Site, sign_in

# Only the other project says these.
SECRETS = ("ask the model", "agent run", "Be kind.", "window.hacked", "Fresh start", "ada@example.com", "step 7")
FOREIGN = {
    "trace": f"{1:032x}", "observation": f"{1:015x}b", "session": "session-0", "prompt": "mail/reply", "version": "2",
    "dataset": "questions", "item": "first", "score": "quality", "user": "user-1",
}  # fmt: skip
# Sets the address that the server is told, without loading another page.
_CLAIM = """query => {
    for (const document of Bokeh.documents) {
        for (const model of document._all_models.values()) {
            if (model.attributes && "search" in model.attributes) { model.setv({search: query}) }
        }
    }
}"""


@pytest.fixture
def heard(visitor: Page, site: Site) -> list[str]:
    """All that a stranger's browser is sent: the bodies of pages, and the frames of websockets."""
    said: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: said.append(_text(frame)))

    visitor.on("websocket", listen)
    visitor.on("response", lambda answer: said.append(answer.text()) if _is_page(answer.headers) else None)
    sign_in(visitor, PASSWORD, email=STRANGER)
    expect(visitor.get_by_text(STRANGER)).to_be_visible()
    return said


def _is_page(headers: dict[str, str]) -> bool:
    return "text/html" in headers.get("content-type", "") and "location" not in headers


def _text(frame: str | bytes) -> str:
    return frame if isinstance(frame, str) else frame.decode("utf-8", "replace")


def _told(heard: list[str]) -> set[str]:
    return {secret for secret in SECRETS if any(secret in each for each in heard)}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", PAGES)
def test_no_page_shows_another_project(visitor: Page, site: Site, heard: list[str], path: str) -> None:
    visitor.goto(f"{path}?{urlencode({'project': site.full.id, 'range': '24h', **FOREIGN})}")
    expect(visitor.get_by_text("No such project")).to_be_visible()
    visitor.goto(f"{path}?{urlencode({'project': site.strange.id, 'range': '24h', **FOREIGN})}")
    expect(visitor.locator("nav").first).to_be_visible()
    expect(visitor.locator(".skeleton, .frame.busy")).to_have_count(0)
    assert heard
    assert _told(heard) == set()


def test_no_message_makes_a_page_show_another_project(visitor: Page, site: Site, heard: list[str]) -> None:
    visitor.goto(f"/sessions?project={site.strange.id}&range=24h")
    expect(visitor.get_by_role("navigation", name="Sections")).to_be_visible()
    visitor.wait_for_function("() => window.Bokeh && Bokeh.documents.length > 0")
    visitor.evaluate(_CLAIM, f"?project={site.full.id}&range=24h")
    visitor.goto(f"/users?project={site.strange.id}&range=7d")
    expect(visitor.get_by_role("navigation", name="Sections")).to_be_visible()
    expect(visitor).to_have_url(re.compile(site.strange.id))
    assert _told(heard) == set()
