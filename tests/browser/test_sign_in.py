import re

import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tests.browser.conftest import PASSWORD, Site, sign_in


def test_wrong_password_is_refused_with_a_message(visitor: Page) -> None:
    sign_in(visitor, "wrong")
    expect(visitor.get_by_role("alert")).to_have_text("The e-mail or the password is not right.")
    expect(visitor.get_by_label("Password")).to_be_focused()


def test_right_password_leads_to_the_page_that_was_asked_for(visitor: Page) -> None:
    sign_in(visitor, PASSWORD, target="/traces?range=24h")
    expect(visitor).to_have_url(re.compile("/traces.*range=24h"))
    cookie = next(cookie for cookie in visitor.context.cookies() if cookie["name"] == "heliograph_session")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


def test_signing_out_closes_the_pages(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto("/traces")
    expect(page).to_have_url(re.compile("/login.next="))


def test_post_without_the_form_of_this_browser_is_refused(visitor: Page, site: Site) -> None:
    forged: dict[str, str | float | bool] = {
        "email": "ada@example.com",
        "password": PASSWORD,
        "token": "forged",
        "next": "/",
    }
    assert visitor.request.post(f"{site.url}/login", form=forged).status == 403


@pytest.mark.parametrize("path", ["/ws", "/traces/ws", "/trace/ws"])
def test_websocket_without_a_session_is_refused(site: Site, path: str) -> None:
    address = site.url.replace("http", "ws") + path
    with pytest.raises(InvalidStatus) as refusal:
        connect(address, origin=Origin(site.url), subprotocols=[Subprotocol("bokeh")])
    assert refusal.value.response.status_code == 403


def test_websocket_from_a_page_of_another_site_is_refused(page: Page, site: Site) -> None:
    session = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in page.context.cookies())
    with pytest.raises(InvalidStatus) as refusal:
        connect(
            site.url.replace("http", "ws") + "/ws",
            origin=Origin("http://evil.example"),
            additional_headers={"Cookie": session},
        )
    assert refusal.value.response.status_code == 403
