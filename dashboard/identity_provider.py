"""An OpenID Connect provider: where it sends people, and who its code says that they are."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from heliograph.outbound import CallFailed, Outbound
from heliograph.settings import SingleSignOnSettings

# Never those that a client secret or nobody signs.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_TIMEOUT_SECONDS = 10.0
_MAX_BYTES = 1 << 20
_CONFIGURATION_LIFETIME_SECONDS = 3_600.0
_CLOCK_SKEW_SECONDS = 30
# Of RFC 6749, section 5.2: a code that is not good, and a client that is not known.
_REFUSALS = frozenset({400, 401})


class IdentityRefused(Exception):
    """What the provider answered proves nothing; the text says why, for the log alone."""


class ProviderAway(Exception):
    """The identity provider does not answer as one."""


@dataclass(frozen=True)
class Identity:
    """Whom the provider has signed in. Only a verified address says who that is here."""

    email: str
    name: str
    is_email_verified: bool


@dataclass(frozen=True)
class Challenge:
    """What a sign-in that was begun must be answered with: all three are known to the browser that began it alone."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def fresh(cls) -> "Challenge":
        """One that nobody can guess."""
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))


class IdentityProvider:
    """The provider of the settings. Its configuration and keys are remembered for an hour.

    Args:
        settings: which provider, and as whom it knows us.
        outbound: how it is called.
        redirect_uri: where it sends people back to.
        clock: the time in seconds since 1970.
    """

    def __init__(
        self,
        settings: SingleSignOnSettings,
        outbound: Outbound,
        redirect_uri: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._outbound = outbound
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._known: tuple[float, dict[str, Any]] | None = None
        self._keys: KeySet | None = None

    async def address(self, challenge: Challenge) -> str:
        """Where a browser is to go; raises ProviderAway."""
        address: str = prepare_grant_uri(
            self._endpoint(await self._configuration(), "authorization_endpoint"),
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=self._settings.scopes,
            state=challenge.state,
            nonce=challenge.nonce,
            code_challenge=create_s256_code_challenge(challenge.verifier),
            code_challenge_method="S256",
        )
        return address

    async def identity(self, code: str, challenge: Challenge) -> Identity:
        """Who came back with a code.

        Raises:
            ProviderAway: the provider does not answer.
            IdentityRefused: the code is none of the provider's, or the token is not for us, not of this sign-in, or no
                longer good.
        """
        answer = await self._exchange(code, challenge)
        claims = await self._claims(str(answer.get("id_token", "")), challenge, str(answer.get("access_token", "")))
        return Identity(
            email=str(claims.get("email") or "").strip().lower(),
            name=str(claims.get("name") or claims.get("preferred_username") or ""),
            is_email_verified=claims.get("email_verified") is True,
        )

    async def _exchange(self, code: str, challenge: Challenge) -> dict[str, Any]:
        configuration = await self._configuration()
        supported = configuration.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in supported else "client_secret_post"
        client = ClientAuth(self._settings.client_id, self._settings.client_secret, method)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": challenge.verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        endpoint = self._endpoint(configuration, "token_endpoint")
        url, headers, body = client.prepare("POST", endpoint, headers, urlencode(form))
        try:
            return _object(
                await self._outbound.post(url, body.encode(), headers, timeout=_TIMEOUT_SECONDS, max_bytes=_MAX_BYTES)
            )
        except CallFailed as error:
            if error.status in _REFUSALS:
                raise IdentityRefused(str(error)) from error
            raise ProviderAway(str(error)) from error

    async def _claims(self, token: str, challenge: Challenge, access_token: str) -> Mapping[str, Any]:
        try:
            try:
                decoded = jwt.decode(token, await self._key_set(), algorithms=_ALGORITHMS)
            except InvalidKeyIdError:
                # The provider may have changed its keys since.
                self._keys = None
                decoded = jwt.decode(token, await self._key_set(), algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {"iss": {"value": self._settings.issuer}, "aud": {"value": self._settings.client_id}},
                {"nonce": challenge.nonce, "client_id": self._settings.client_id, "access_token": access_token},
            )
            claims.validate(now=int(self._clock()), leeway=_CLOCK_SKEW_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise IdentityRefused(str(error)) from error
        return dict(claims)

    async def _configuration(self) -> dict[str, Any]:
        if self._known is None or self._clock() - self._known[0] > _CONFIGURATION_LIFETIME_SECONDS:
            found = await self._document(f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self._settings.issuer:
                reason = f"the configuration names another issuer: {found.get('issuer')!r}"
                raise ProviderAway(reason)
            self._known, self._keys = (self._clock(), found), None
        return self._known[1]

    async def _key_set(self) -> KeySet:
        if self._keys is None:
            found = await self._document(self._endpoint(await self._configuration(), "jwks_uri"))
            self._keys = KeySet.import_key_set({"keys": found.get("keys") or []})
        return self._keys

    def _endpoint(self, configuration: Mapping[str, Any], name: str) -> str:
        url = str(configuration.get(name) or "")
        # A secret that goes to the provider privately goes nowhere else.
        if urlsplit(url).scheme not in {"https", urlsplit(self._settings.issuer).scheme}:
            reason = f"its {name} is no private address"
            raise ProviderAway(reason)
        return url

    async def _document(self, url: str) -> dict[str, Any]:
        try:
            return _object(await self._outbound.get(url, timeout=_TIMEOUT_SECONDS, max_bytes=_MAX_BYTES))
        except CallFailed as error:
            raise ProviderAway(str(error)) from error


def _object(answer: bytes) -> dict[str, Any]:
    reason = "its answer is no JSON object"
    try:
        found = json.loads(answer)
    except ValueError as error:
        raise ProviderAway(reason) from error
    if not isinstance(found, dict):
        raise ProviderAway(reason)
    return found
