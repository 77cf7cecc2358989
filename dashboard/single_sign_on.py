"""Signing in by an identity provider: begun with a challenge, which the browser keeps and the provider answers."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from dashboard.identity_provider import Challenge, IdentityProvider, IdentityRefused, ProviderAway
from dashboard.sessions import Sessions
from heliograph import telemetry
from heliograph.domain.access import User

CALLBACK_PATH = "/login/sso/callback"
CHALLENGE_COOKIE = "heliograph_challenge"
CHALLENGE_LIFETIME = timedelta(minutes=10)

_AWAY = "The identity provider does not answer. Try again, or sign in with a password."
_STALE = "This sign-in had expired. Try again."
_REFUSED = "The identity provider did not sign you in."
_UNVERIFIED = "The identity provider has not verified your e-mail address."
_OTHER_DOMAIN = "Addresses of this domain may not sign in here."
_STRANGER = "Nobody has invited this address. Ask an administrator."
_log = telemetry.logger("single_sign_on")


class SignInRefused(Exception):
    """Why somebody is not signed in, as the page says it, and the status of that page."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass(frozen=True)
class SingleSignOn:
    """Signs people in whom the provider knows by an address that it has verified.

    Attributes:
        provider: who says so.
        user_of: the user of a verified address and a name, or none for a stranger.
        allowed_domains: of addresses; any, when there are none.
        label: what the button says behind "Sign in with".
    """

    provider: IdentityProvider
    user_of: Callable[[str, str], Awaitable[User | None]]
    sessions: Sessions
    allowed_domains: tuple[str, ...] = ()
    label: str = "single sign-on"

    async def begin(self, next_page: str) -> tuple[str, str]:
        """Where the browser is to go, and the cookie that it is to keep; raises SignInRefused."""
        challenge = Challenge.fresh()
        try:
            address = await self.provider.address(challenge)
        except ProviderAway as error:
            raise self._away(error) from error
        return address, self.sessions.challenge([challenge.state, challenge.nonce, challenge.verifier, next_page])

    async def finish(self, answer: Mapping[str, str], cookie: str) -> tuple[User, str]:
        """Who came back from the provider, and the page that they had asked for; raises SignInRefused."""
        kept = self.sessions.challenged(cookie, CHALLENGE_LIFETIME)
        if kept is None or not hmac.compare_digest(kept[0].encode(), answer.get("state", "").encode()):
            raise SignInRefused(_STALE, 403)
        if "code" not in answer:
            _log.warning("single_sign_on_refused", reason=answer.get("error", "no code")[:200])
            raise SignInRefused(_REFUSED, 401)
        state, nonce, verifier, next_page = kept
        return await self._user(answer["code"], Challenge(state, nonce, verifier)), next_page

    async def _user(self, code: str, challenge: Challenge) -> User:
        try:
            identity = await self.provider.identity(code, challenge)
        except ProviderAway as error:
            raise self._away(error) from error
        except IdentityRefused as error:
            _log.warning("single_sign_on_refused", reason=str(error))
            raise SignInRefused(_REFUSED, 401) from error
        if not identity.email or not identity.is_email_verified:
            raise SignInRefused(_UNVERIFIED, 403)
        domain = identity.email.rpartition("@")[2]
        if self.allowed_domains and domain not in {allowed.lower() for allowed in self.allowed_domains}:
            raise SignInRefused(_OTHER_DOMAIN, 403)
        user = await self.user_of(identity.email, identity.name)
        if user is None:
            raise SignInRefused(_STRANGER, 403)
        return user

    def _away(self, error: ProviderAway) -> SignInRefused:
        _log.warning("identity_provider_away", reason=str(error))
        return SignInRefused(_AWAY, 503)
