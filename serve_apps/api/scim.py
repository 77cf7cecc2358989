"""Provisioning: an identity provider says who belongs to the organization, by SCIM 2.0."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import ValidationError

from heliograph.domain.access import Role
from heliograph.domain.errors import Conflict, InvalidRequest
from heliograph.domain.identifiers import UserId
from heliograph.domain.not_found import UserNotFound
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Text
from serve_apps.api.shapes import scim_documents as documents
from serve_apps.api.shapes.scim import (
    PatchBody,
    ScimList,
    ScimUser,
    UserBody,
    UserChangeBody,
    UsersAsked,
    list_shape,
    user_shape,
)
from serve_apps.api.shapes.scim_documents import ResourceType, ScimSchema, ScimSupport
from serve_apps.authentication import OrganizationPrincipal
from storage.postgres.memberships import OrganizationMembers
from storage.postgres.users import Users

router = APIRouter(prefix="/scim", tags=["scim"])


async def _members(dependencies: Dependencies, principal: OrganizationPrincipal) -> OrganizationMembers:
    return OrganizationMembers(dependencies.database, principal.organization_id)


Members = Annotated[OrganizationMembers, Depends(_members)]


@router.get("/ServiceProviderConfig")
async def get_service_provider_config(principal: OrganizationPrincipal) -> Answer[ScimSupport]:
    """What of SCIM is spoken here."""
    del principal
    return answer(documents.SERVICE_PROVIDER_CONFIG)


@router.get("/ResourceTypes")
async def list_resource_types(principal: OrganizationPrincipal) -> Answer[ScimList[ResourceType]]:
    """What is provisioned: users."""
    del principal
    return answer(list_shape(documents.RESOURCE_TYPES, len(documents.RESOURCE_TYPES)))


@router.get("/Schemas")
async def list_schemas(principal: OrganizationPrincipal) -> Answer[ScimList[ScimSchema]]:
    """What a user is."""
    del principal
    return answer(list_shape(documents.SCHEMAS, len(documents.SCHEMAS)))


@router.get("/Users")
async def list_users(asked: Annotated[UsersAsked, Query()], members: Members) -> Answer[ScimList[ScimUser]]:
    """Some of the members, in the order in which they joined; or the one of an address."""
    email = asked.email
    found = [one for one in await members.all() if email is None or one.user.email == email]
    shown = found[asked.first - 1 :][: asked.size]
    return answer(list_shape(list(map(user_shape, shown)), len(found), asked.first))


@router.post("/Users", status_code=201)
async def create_user(body: UserBody, members: Members, dependencies: Dependencies) -> Answer[ScimUser]:
    """Make someone a member, and a user if they are none; their role is the first that is given, or NONE."""
    users = Users(dependencies.database)
    user = await users.by_email(body.user_name)
    if user is not None and any(one.user.id == user.id for one in await members.all()):
        raise Conflict("userName", "is a member already")
    user = user or await users.create(body.user_name, body.full_name)
    member = await members.put(user.id, _first(body.roles))
    return answer(user_shape(member), 201)


@router.get("/Users/{user_id}")
async def get_user(user_id: Text, members: Members) -> Answer[ScimUser]:
    """One member."""
    return answer(user_shape(await members.get(UserId(user_id))))


@router.put("/Users/{user_id}")
async def replace_user(user_id: Text, body: UserChangeBody, members: Members) -> Answer[ScimUser]:
    """Make a user a member or none; their name and address are their own, and stay."""
    return await _changed(members, UserId(user_id), body)


@router.patch("/Users/{user_id}")
async def patch_user(user_id: Text, body: PatchBody, members: Members) -> Answer[ScimUser]:
    """The same in steps, of which those on `active` and `roles` have an effect."""
    try:
        change = UserChangeBody.model_validate(body.change)
    except ValidationError as error:
        raise InvalidRequest("Operations", error.errors()[0]["msg"]) from None
    return await _changed(members, UserId(user_id), change)


@router.delete("/Users/{user_id}", status_code=204)
async def delete_user(user_id: Text, members: Members) -> Response:
    """Take a user out of the organization; they stay a user, and a member of others."""
    await members.remove(UserId(user_id))
    return Response(status_code=204)


async def _changed(members: OrganizationMembers, user_id: UserId, body: UserChangeBody) -> Answer[ScimUser]:
    known = {one.user.id: one for one in await members.all()}.get(user_id)
    if not body.active:
        if known is None:
            raise UserNotFound(user_id)
        await members.remove(user_id)
        return answer(user_shape(known, is_active=False))
    role = known.role if known is not None and body.roles is None else _first(body.roles)
    return answer(user_shape(await members.put(user_id, role)))


def _first(roles: list[Role] | None) -> Role:
    return roles[0] if roles else Role.NONE
