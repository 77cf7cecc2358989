"""Signing in by an OpenID Connect provider over HTTP: who is let in, who is not, and what proves nothing."""

import ipaddress
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from dashboard.identity_provider import IdentityProvider
from dashboard.login import Login
from dashboard.sessions import SESSION_COOKIE, Sessions
from dashboard.single_sign_on import CALLBACK_PATH, CHALLENGE_COOKIE, SingleSignOn
from heliograph.domain.access import Project, Role, User
from heliograph.outbound import Outbound
from heliograph.settings import SingleSignOnSettings
from storage.postgres.connection import Database
from storage.postgres.invitations import Invitations
from storage.postgres.sign_ons import SignOns
from storage.postgres.users import Users
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, fresh_key, serving

HERE = "http://here"
LOOPBACK_NETWORK = (ipaddress.ip_network("127.0.0.0/8"),)
SESSIONS = Sessions("secret of the tests")


@pytest.fixture
def email() -> str:
    return f"{uuid.uuid4().hex}@example.org"


@pytest.fixture
def provider(email: str) -> Iterator[OpenIdProvider]:
    person = {"email": email.title(), "email_verified": True, "name": "Ada"}
    with serving(OpenIdProvider(person)) as provider:
        yield provider


class Site:
    """The sign-in pages and a browser before them."""

    def __init__(self, database: Database, provider: OpenIdProvider, outbound: Outbound, **settings: Any) -> None:
        own = SingleSignOnSettings(
            issuer=provider.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, label="Example", **settings
        )
        users = SignOns(database, own.organization, Role(own.role))
        self.identities = IdentityProvider(own, outbound, HERE + CALLBACK_PATH)
        single_sign_on = SingleSignOn(self.identities, users.user, SESSIONS, own.allowed_domains, own.label)
        login = Login(
            Users(database).verify, SESSIONS, frozenset({HERE}), is_https=False, single_sign_on=single_sign_on
        )
        self.browser = httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=login.routes)), base_url=HERE)

    async def begin(self, next_page: str = "/traces?x=1") -> httpx.Response:
        return await self.browser.get("/login/sso", params={"next": next_page})

    async def sign_in(self, **changed: str) -> httpx.Response:
        """The whole way: here, to the provider, and back with what it said, but for what is changed."""
        begun = await self.begin()
        assert begun.status_code == 303
        async with httpx.AsyncClient() as elsewhere:
            sent_back = (await elsewhere.get(begun.headers["location"])).headers["location"]
        answer = httpx.URL(sent_back)
        return await self.browser.get(answer.copy_merge_params(changed))

    def signed_in(self) -> User | None:
        return SESSIONS.signed_in(self.browser.cookies.get(SESSION_COOKIE) or "")


@asynccontextmanager
async def site(
    database: Database, provider: OpenIdProvider, outbound: Outbound | None = None, **settings: Any
) -> AsyncIterator[Site]:
    opened = Site(database, provider, outbound or Outbound(LOOPBACK_NETWORK), **settings)
    async with opened.browser:
        yield opened


async def refused(site: Site, status: int, reason: str, **changed: str) -> None:
    answer = await site.sign_in(**changed)
    assert (answer.status_code, site.signed_in()) == (status, None)
    assert reason in answer.text
    assert SESSION_COOKIE not in site.browser.cookies


async def test_a_user_is_known_by_the_verified_address(
    database: Database, provider: OpenIdProvider, email: str
) -> None:
    user = await Users(database).create(email, "Ada", "a password")
    async with site(database, provider) as here:
        answer = await here.sign_in()
        assert (answer.status_code, answer.headers["location"]) == (303, "/traces?x=1")
        assert here.signed_in() == user
        by_provider = answer.headers.get_list("set-cookie")[0]

        here.browser.cookies.clear()
        shown = await here.browser.get("/login")
        token = shown.text.split('name="token" value="')[1].split('"')[0]
        by_password = await here.browser.post(
            "/login", data={"email": email, "password": "a password", "token": token, "next": "/"}
        )
        assert _attributes(by_password.headers["set-cookie"]) == _attributes(by_provider)


def _attributes(cookie: str) -> list[str]:
    """The name and all that is told of a cookie, but for its value."""
    name, *attributes = cookie.split("; ")
    return [name.partition("=")[0], *attributes]


async def test_the_page_offers_the_provider_and_keeps_where_to_go(database: Database, provider: OpenIdProvider) -> None:
    async with site(database, provider) as here:
        page = (await here.browser.get("/login", params={"next": "/traces?a=1&b=2"})).text
        assert 'href="/login/sso?next=/traces%3Fa%3D1%26b%3D2">Sign in with Example</a>' in page


async def test_where_to_go_is_a_page_of_this_origin(database: Database, provider: OpenIdProvider, email: str) -> None:
    await Users(database).create(email, "Ada")
    async with site(database, provider) as here:
        begun = await here.begin("https://evil.example/")
        async with httpx.AsyncClient() as elsewhere:
            sent_back = (await elsewhere.get(begun.headers["location"])).headers["location"]
        assert (await here.browser.get(sent_back)).headers["location"] == "/"


async def test_who_is_invited_becomes_a_member_and_a_stranger_does_not(
    database: Database, provider: OpenIdProvider, project: Project, email: str
) -> None:
    async with site(database, provider) as here:
        await refused(here, 403, "Nobody has invited this address")
        assert await Users(database).by_email(email) is None

        await Invitations(database).create(email, project.organization_id, role=Role.VIEWER)
        assert (await here.sign_in()).status_code == 303
        user = here.signed_in()
        assert user is not None
        assert (user.email, user.name) == (email, "Ada")
        assert project.id in {one.id for one in await Users(database).projects_of(user.id)}
        assert not await Invitations(database).is_invited(email)
        # There is no password by which anybody else could come in.
        assert await Users(database).verify(email, "") is None


async def test_a_stranger_joins_where_the_settings_say_so_and_only_once(
    database: Database, provider: OpenIdProvider, project: Project
) -> None:
    async with site(database, provider, organization=project.organization_id, role="VIEWER") as here:
        assert (await here.sign_in()).status_code == 303
        user = here.signed_in()
        assert user is not None
        assert project.id in {one.id for one in await Users(database).projects_of(user.id)}
        # Who was taken out of the organization stays out.
        await Users(database).join_organization(user.id, project.organization_id, Role.NONE)
        assert (await here.sign_in()).status_code == 303
        assert await Users(database).projects_of(user.id) == []


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_an_address_that_is_not_verified_is_nobodys(
    database: Database, provider: OpenIdProvider, email: str, *, verified: object
) -> None:
    await Users(database).create(email, "Ada", "a password")
    provider.person["email_verified"] = verified
    async with site(database, provider) as here:
        await refused(here, 403, "has not verified your e-mail address")


async def test_an_address_of_another_domain_is_refused(
    database: Database, provider: OpenIdProvider, email: str
) -> None:
    await Users(database).create(email, "Ada")
    async with site(database, provider, allowed_domains=("example.com", "notexample.org")) as here:
        await refused(here, 403, "Addresses of this domain")
    async with site(database, provider, allowed_domains=("Example.ORG",)) as here:
        assert (await here.sign_in()).status_code == 303


@pytest.mark.parametrize(
    "tampered",
    [
        pytest.param({"nonce": "of another sign-in"}, id="nonce of another sign-in"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"aud": "another client"}, id="for another client"),
        pytest.param({"aud": [CLIENT_ID, "another"], "azp": "another"}, id="given to another client"),
        pytest.param({"iss": "https://evil.example"}, id="of another issuer"),
        pytest.param({"exp": int(time.time()) - 60}, id="expired"),
        pytest.param({"exp": "never"}, id="without an end"),
        pytest.param({"iat": 4_102_444_800}, id="of the future"),
        pytest.param({"at_hash": "another"}, id="of another access token"),
    ],
)
async def test_a_token_that_is_not_of_this_sign_in_proves_nothing(
    database: Database, provider: OpenIdProvider, email: str, tampered: dict[str, object]
) -> None:
    await Users(database).create(email, "Ada")
    provider.tampered = tampered
    async with site(database, provider) as here:
        await refused(here, 401, "did not sign you in")


async def test_a_token_that_another_key_has_signed_proves_nothing(
    database: Database, provider: OpenIdProvider, email: str
) -> None:
    await Users(database).create(email, "Ada")
    async with site(database, provider) as here:
        provider.signing_key = fresh_key()
        await refused(here, 401, "did not sign you in")
        # A provider changes its keys now and then.
        provider.key = provider.signing_key
        assert (await here.sign_in()).status_code == 303


async def test_an_answer_to_what_this_browser_has_not_begun_is_refused(
    database: Database, provider: OpenIdProvider, email: str
) -> None:
    await Users(database).create(email, "Ada")
    async with site(database, provider) as here:
        await refused(here, 403, "This sign-in had expired", state="another")
        begun = await here.begin()
        async with httpx.AsyncClient() as elsewhere:
            sent_back = (await elsewhere.get(begun.headers["location"])).headers["location"]
        async with site(database, provider) as another:
            answer = await another.browser.get(sent_back)
            assert (answer.status_code, another.signed_in()) == (403, None)
        assert (await here.browser.get(sent_back)).status_code == 303
        # What was begun is answered once.
        assert CHALLENGE_COOKIE not in here.browser.cookies
        assert (await here.browser.get(sent_back)).status_code == 403


async def test_a_code_that_the_provider_has_not_given_signs_nobody_in(
    database: Database, provider: OpenIdProvider, email: str
) -> None:
    await Users(database).create(email, "Ada")
    async with site(database, provider) as here:
        await refused(here, 401, "did not sign you in", code="another")


async def test_who_says_no_at_the_provider_is_not_signed_in(database: Database, provider: OpenIdProvider) -> None:
    async with site(database, provider) as here:
        begun = httpx.URL((await here.begin()).headers["location"])
        answer = await here.browser.get(
            CALLBACK_PATH, params={"error": "access_denied", "state": begun.params["state"]}
        )
        assert (answer.status_code, here.signed_in()) == (401, None)


async def test_a_provider_that_is_away_is_said_to_be(database: Database, provider: OpenIdProvider, email: str) -> None:
    await Users(database).create(email, "Ada")
    provider.is_away = True
    async with site(database, provider) as here:
        answer = await here.begin()
        assert answer.status_code == 503
        assert "does not answer" in answer.text
        provider.is_away = False
        begun = await here.begin()
        async with httpx.AsyncClient() as elsewhere:
            sent_back = (await elsewhere.get(begun.headers["location"])).headers["location"]
        provider.is_away = True
        assert (await here.browser.get(sent_back)).status_code == 503
        assert here.signed_in() is None


async def test_a_provider_in_a_private_network_is_not_called_unless_it_is_allowed(
    database: Database, provider: OpenIdProvider
) -> None:
    async with site(database, provider, Outbound()) as here:
        assert (await here.begin()).status_code == 503


async def test_a_configuration_of_another_issuer_is_not_believed(database: Database, provider: OpenIdProvider) -> None:
    async with site(database, provider) as here:
        provider.issuer = provider.issuer.replace("127.0.0.1", "localhost")
        assert (await here.begin()).status_code == 503


def test_an_issuer_elsewhere_is_reached_privately() -> None:
    with pytest.raises(ValueError, match="https"):
        SingleSignOnSettings(issuer="http://accounts.example.org")
