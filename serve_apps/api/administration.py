"""What is administered with the server's admin key: organizations, keys, and what is said of this product."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from heliograph.domain.access import OfOrganization
from heliograph.domain.identifiers import OrganizationId, ProjectId
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.owned_keys import OwnedKeys
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.feedback import FeedbackShape, feedback_shape
from serve_apps.api.shapes.lists import Done, ListOf, Told
from serve_apps.api.shapes.organizations import (
    AllOrganizations,
    IssuedKeyShape,
    KeyActionBody,
    KeyBody,
    KeyList,
    OrganizationBody,
    OrganizationShape,
    organization_shape,
)
from serve_apps.authentication import administrator
from storage.postgres.api_keys import announce
from storage.postgres.feedback import AllFeedback
from storage.postgres.organizations import Organizations
from storage.postgres.projects import Projects


async def _administrator(request: Request) -> None:
    administrator(request)


async def _organizations(dependencies: Dependencies) -> Organizations:
    return Organizations(dependencies.database)


# HAProxy brings what comes to /api/admin/ here, since the application answers below /api/public alone.
PATH = "/heliograph-admin"
router = APIRouter(prefix=f"{PATH}/organizations", tags=["admin"], dependencies=[Depends(_administrator)])
server_router = APIRouter(prefix=PATH, tags=["admin"], dependencies=[Depends(_administrator)])
All = Annotated[Organizations, Depends(_organizations)]


@router.get("")
async def list_organizations(organizations: All, dependencies: Dependencies) -> Answer[AllOrganizations]:
    """Every organization with its projects, oldest first."""
    projects = Projects(dependencies.database)
    found = await organizations.all()
    return answer({"organizations": [organization_shape(one, await projects.list_of(one.id)) for one in found]})


@router.post("", status_code=201)
async def create_organization(body: OrganizationBody, organizations: All) -> Answer[OrganizationShape]:
    """Create an organization."""
    return answer(organization_shape(await organizations.create(body.name, body.metadata or {}), []), 201)


@router.get("/{organization_id}")
async def get_organization(
    organization_id: Text, organizations: All, dependencies: Dependencies
) -> Answer[OrganizationShape]:
    """One organization with its projects."""
    found = await organizations.get(OrganizationId(organization_id))
    return answer(organization_shape(found, await Projects(dependencies.database).list_of(found.id)))


@router.put("/{organization_id}")
async def change_organization(
    organization_id: Text, body: OrganizationBody, *, organizations: All, dependencies: Dependencies
) -> Answer[OrganizationShape]:
    """Give an organization another name, and other metadata unless they are absent."""
    changed = await organizations.change(OrganizationId(organization_id), name=body.name, metadata=body.metadata)
    return answer(organization_shape(changed, await Projects(dependencies.database).list_of(changed.id)))


@router.delete("/{organization_id}")
async def delete_organization(organization_id: Text, organizations: All) -> Answer[Done]:
    """Remove an organization that has no projects any more."""
    await organizations.remove(OrganizationId(organization_id))
    return answer({"success": True})


async def _keys(organization_id: Text, organizations: All, dependencies: Dependencies) -> OwnedKeys:
    found = await organizations.get(OrganizationId(organization_id))
    return OwnedKeys(dependencies.administration.api_keys, OfOrganization(found.id))


@router.get("/{organization_id}/apiKeys")
async def list_keys_of_organization(keys: Annotated[OwnedKeys, Depends(_keys)]) -> Answer[KeyList]:
    """Every key of the organization itself that is not revoked."""
    return await keys.listed()


@router.post("/{organization_id}/apiKeys", status_code=201)
async def create_key_of_organization(
    body: KeyBody, keys: Annotated[OwnedKeys, Depends(_keys)]
) -> Answer[IssuedKeyShape]:
    """Issue a key pair of the organization; its secret is shown this once."""
    return await keys.issued(body)


@router.delete("/{organization_id}/apiKeys/{key_id}")
async def revoke_key_of_organization(key_id: Text, keys: Annotated[OwnedKeys, Depends(_keys)]) -> Answer[Done]:
    """End a key of an organization now; every replica refuses it within 6 seconds."""
    return await keys.revoked(key_id)


@server_router.post("/api-keys")
async def act_on_project_keys(body: KeyActionBody, dependencies: Dependencies) -> Answer[Told]:
    """End every key of these projects (`delete`), or let every replica look them up again (`invalidate`)."""
    projects = [ProjectId(one) for one in body.project_ids]
    if body.action == "invalidate":
        await announce(dependencies.database, projects)
        return answer({"message": "API keys invalidated"})
    keys = dependencies.administration.api_keys
    for project_id in projects:
        for public_key in await keys.public_keys_of(project_id):
            await keys.revoke(public_key)
    return answer({"message": "API keys deleted"})


@server_router.get("/feedback")
async def list_feedback(dependencies: Dependencies) -> Answer[ListOf[FeedbackShape]]:
    """What was said of this product, newest first, the newest thousand."""
    return answer({"data": [feedback_shape(one) for one in await AllFeedback(dependencies.database).newest(1_000)]})
