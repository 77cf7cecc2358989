"""Who is calling: from the Authorization header to the principal of a project or an organization."""

import base64
import binascii
import hmac
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request
from starlette.applications import Starlette

from heliograph.domain.access import KeyScope, Principal
from heliograph.domain.audit import Actor, ActorType, act_as
from heliograph.domain.errors import (
    AccessDenied,
    AdminKeyMissing,
    CredentialsMalformed,
    CredentialsMissing,
    KeyUnknown,
    OrganizationKeyRefused,
)
from serve_apps.limits import Limits


class Keys(Protocol):
    """Where keys are looked up. Raises KeyUnknown, KeyRevoked, or Unavailable while it cannot tell."""

    async def principal(self, public_key: str, secret: str) -> Principal:
        """The principal of a key pair, its secret verified."""
        ...

    async def public_principal(self, public_key: str) -> Principal:
        """The principal of a public key alone, which may write scores and no more."""
        ...


def install(app: Starlette, keys: Keys, limits: Limits, *, admin_key: str = "") -> None:
    """Give the application the keys that its routes authenticate against, and the limits of whoever they belong to."""
    app.state.keys = keys
    app.state.limits = limits
    app.state.admin_key = admin_key


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


async def ingestion_principal(request: Request) -> Principal:
    """The same for batches of events, to which the key of an organization is none at all."""
    scheme, value = _authorization(request)
    keys = _keys(request)
    found = await (keys.principal(*_key_pair(value)) if scheme == "basic" else keys.public_principal(value))
    if found.scope is not KeyScope.PROJECT:
        raise OrganizationKeyRefused
    return _admitted(found, request)


async def organization_principal(request: Request) -> Principal:
    """The principal of the key pair of an organization, under whose name everything is done from now on."""
    scheme, value = _authorization(request)
    if scheme != "basic":
        raise AccessDenied("Send the key pair of an organization, with HTTP Basic authentication.")
    found = await _keys(request).principal(*_key_pair(value))
    if found.scope is not KeyScope.ORGANIZATION:
        raise AccessDenied("Insufficient permissions: it needs the key of an organization, and this is a project's.")
    return acting(found)


def administrator(request: Request) -> None:
    """Refuses whoever does not show the admin key of this server; raises AdminKeyMissing when it has none."""
    scheme, value = _authorization(request)
    if not is_admin_key(request, value):
        raise KeyUnknown
    if scheme != "bearer":
        raise CredentialsMalformed("the admin key is sent as a Bearer token")
    act_as(Actor(ActorType.ADMIN_KEY))


def is_admin_key(request: Request, value: str) -> bool:
    """Whether it is the admin key of this server; raises AdminKeyMissing when it has none."""
    admin_key = cast("str", request.app.state.admin_key)
    if not admin_key:
        raise AdminKeyMissing
    return hmac.compare_digest(value.encode("utf-8", "surrogateescape"), admin_key.encode())


def acting(principal: Principal) -> Principal:
    """The principal, under whose name everything is done from now on."""
    act_as(Actor(ActorType.API_KEY, principal.api_key_id, principal.public_key))
    return principal


async def _acting_principal(principal: Annotated[Principal, Depends(project_principal)]) -> Principal:
    return acting(principal)


def is_public_key_alone(request: Request) -> bool:
    """Whether the caller has shown no secret."""
    return _authorization(request)[0] == "bearer"


ProjectPrincipal = Annotated[Principal, Depends(_acting_principal)]
OrganizationPrincipal = Annotated[Principal, Depends(organization_principal)]
ScoresPrincipal = Annotated[Principal, Depends(scores_principal)]


def _of_project(principal: Principal) -> Principal:
    if principal.scope is not KeyScope.PROJECT:
        raise AccessDenied("Are you using an organization key? Use a project's.")
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
