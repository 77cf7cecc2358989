"""An OpenID Connect provider over HTTP, which signs in whom it is told to, and tampers with its tokens to order."""

import base64
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.local_server import Answer, Request, answering

CLIENT_ID, CLIENT_SECRET = "heliograph", "secret of the tests: 1/2"


def fresh_key() -> RSAKey:
    """A key that no provider has published yet."""
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})


@dataclass
class OpenIdProvider:
    """What the provider says, which may be changed while it runs.

    Attributes:
        person: the claims of whoever sits before the browser.
        tampered: claims of the next tokens in place of the right ones.
        key: what it publishes; `signing_key` is what it signs with, if that is another.
        is_away: it answers 503 to everything.
    """

    person: dict[str, Any] = field(default_factory=dict)
    tampered: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=fresh_key)
    signing_key: RSAKey | None = None
    is_away: bool = False
    issuer: str = ""
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def configuration(self) -> dict[str, Any]:
        """See OpenID Connect Discovery 1.0."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent, its person signed in."""
        assert (query["client_id"], query["response_type"]) == (CLIENT_ID, "code")
        assert "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.asked[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Its answer to a code, which is good once."""
        login = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        asked = self.asked.pop(form.get("code", ""), None)
        if login != f"{CLIENT_ID}:{CLIENT_SECRET}" or asked is None:
            return 400, {"error": "invalid_grant"}
        if create_s256_code_challenge(form["code_verifier"]) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": "1", "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            **self.person, **self.tampered,
        }  # fmt: skip
        key = self.signing_key or self.key
        token = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": token}


@contextmanager
def serving(provider: OpenIdProvider) -> Iterator[OpenIdProvider]:
    """The provider on a port of its own."""

    def answer(request: Request) -> Answer:
        parts = urlsplit(request.path)
        if provider.is_away:
            return Answer(503)
        if request.method == "POST":
            status, answer = provider.token(dict(parse_qsl(request.body.decode())), request.headers["authorization"])
            return Answer(status, json.dumps(answer).encode())
        if parts.path == "/.well-known/openid-configuration":
            return Answer(200, json.dumps(provider.configuration()).encode())
        if parts.path == "/keys":
            return Answer(200, json.dumps(KeySet([provider.key]).as_dict()).encode())
        return Answer(302, headers={"location": provider.authorize(dict(parse_qsl(parts.query)))})

    with answering(answer) as provider.issuer:
        yield provider
