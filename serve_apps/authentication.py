"""Who is calling: from the Authorization header to the principal of a project."""

import base64
import binascii
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request
from starlette.applications import Starlette

from heliograph.domain.access import KeyScope, Principal
from heliograph.domain.errors import AccessDenied, CredentialsMalformed, CredentialsMissing
from serve_apps.limits import Limits


class Keys(Protocol):
    """Where keys are looked up. Raises KeyUnknown, KeyRevoked, or Unavailable while it cannot tell."""

    async def principal(self, public_key: str, secret: str) -> Principal:
        """The principal of a key pair, its secret verified."""
        ...

    async def public_principal(self, public_key: str) -> Principal:
        """The principal of a public key alone, which may write scores and no more."""
        ...


def install(app: Starlette, keys: Keys, limits: Limits) -> None:
    """Give the application the keys that its routes authenticate against, and the limits of whoever they belong to."""
    app.state.keys = keys
    app.state.limits = limits


async def project_principal(request: Request) -> Principal:
    """The principal of an HTTP Basic key pair; raises RateLimited and QuotaExceeded beside what `Keys` raises."""
    return _admitted(await principal_of(request.headers.get("authorization", ""), _keys(request)), request)


async def principal_of(authorization: str, keys: Keys) -> Principal:
    """The principal of an HTTP Basic key pair in the value of an Authorization header."""
    scheme, value = _parsed(authorization)
    if scheme == "basic":
        return _of_project(await keys.principal(*_key_pair(value)))
    await keys.public_principal(value)
    reason = "A public key alone only writes scores: send the secret key too, with HTTP Basic authentication."
    raise AccessDenied(reason)


async def scores_principal(request: Request) -> Principal:
    """The principal of a key pair, or of a public key as a Bearer token, which browsers use to send scores."""
    scheme, value = _authorization(request)
    keys = _keys(request)
    if scheme == "basic":
        return _admitted(_of_project(await keys.principal(*_key_pair(value))), request)
    return _admitted(_of_project(await keys.public_principal(value)), request)


def is_public_key_alone(request: Request) -> bool:
    """Whether the caller has shown no secret."""
    return _authorization(request)[0] == "bearer"


ProjectPrincipal = Annotated[Principal, Depends(project_principal)]
ScoresPrincipal = Annotated[Principal, Depends(scores_principal)]


def _of_project(principal: Principal) -> Principal:
    if principal.scope is not KeyScope.PROJECT:
        raise AccessDenied("It is the key of an organization: use a project's.")
    return principal


def _admitted(principal: Principal, request: Request) -> Principal:
    """The principal, whose request is counted."""
    limits = cast("Limits", request.app.state.limits)
    limits.admit(principal.project_id, request.method, request.scope["path"])
    return principal


def _keys(request: Request) -> Keys:
    return cast("Keys", request.app.state.keys)


def _authorization(request: Request) -> tuple[str, str]:
    return _parsed(request.headers.get("authorization", ""))


def _parsed(authorization: str) -> tuple[str, str]:
    scheme, _, value = authorization.partition(" ")
    if not value.strip():
        raise CredentialsMissing
    if scheme.lower() not in {"basic", "bearer"}:
        reason = "its scheme is neither Basic nor Bearer"
        raise CredentialsMalformed(reason)
    return scheme.lower(), value.strip()


def _key_pair(value: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        reason = "what follows Basic is not base64 of public key, colon, secret key"
        raise CredentialsMalformed(reason) from None
    public_key, colon, secret = text.partition(":")
    if not colon:
        reason = "there is no colon between public key and secret key"
        raise CredentialsMalformed(reason)
    return public_key, secret
