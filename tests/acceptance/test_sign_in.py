"""Signing in by an OpenID Connect provider on a whole stack: the browser goes through HAProxy both ways."""

from collections.abc import Iterator

import httpx
import pytest

from dashboard.sessions import SESSION_COOKIE
from dashboard.single_sign_on import CALLBACK_PATH
from tests.acceptance.stack import Stack, running
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, serving

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(600)]

EMAIL = "ada@example.org"


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    with serving(OpenIdProvider({"email": EMAIL, "email_verified": True, "name": "Ada"})) as provider:
        yield provider


@pytest.fixture(scope="module")
def stack(provider: OpenIdProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose people sign in by the provider, and join its first organization."""
    chosen = {
        "ISSUER": provider.issuer, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET, "LABEL": "Example",
        "ORGANIZATION": "My organization", "ROLE": "VIEWER",
    }  # fmt: skip
    own = {f"HELIOGRAPH_SINGLE_SIGN_ON__{name}": value for name, value in chosen.items()}
    allowed = {"HELIOGRAPH_OUTBOUND__ALLOWED_NETWORKS": '["127.0.0.0/8"]'}
    with running(tmp_path_factory.mktemp("sign-in"), **own, **allowed) as up:
        yield up


@pytest.fixture
def browser(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.settings.url, timeout=30) as browser:
        yield browser


def sign_in(browser: httpx.Client) -> httpx.Response:
    """The way to the provider and back; the answer of the stack."""
    begun = browser.get("/login/sso", params={"next": "/traces"})
    assert begun.status_code == 303, begun.text
    sent_back = httpx.get(begun.headers["location"]).headers["location"]
    assert sent_back.startswith(f"{browser.base_url}".rstrip("/") + CALLBACK_PATH)
    return browser.get(sent_back)


def test_who_the_provider_vouches_for_sees_the_pages(browser: httpx.Client) -> None:
    assert browser.get("/traces").status_code == 303
    assert "Sign in with Example" in browser.get("/login").text

    answer = sign_in(browser)

    assert (answer.status_code, answer.headers["location"]) == (303, "/traces")
    assert browser.get("/traces").status_code == 200


def test_a_token_of_another_sign_in_opens_nothing(provider: OpenIdProvider, browser: httpx.Client) -> None:
    provider.tampered["nonce"] = "of another sign-in"
    try:
        answer = sign_in(browser)
    finally:
        provider.tampered.clear()

    assert 400 <= answer.status_code < 500
    assert SESSION_COOKIE not in browser.cookies
    assert browser.get("/traces").status_code == 303
