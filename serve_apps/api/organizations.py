"""The organization of a key: its projects, members and keys."""

from fastapi import APIRouter

from heliograph.domain.access import OfOrganization
from heliograph.domain.identifiers import UserId
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.owned_keys import OwnedKeys
from serve_apps.api.shapes.organizations import (
    KeyList,
    LeavingBody,
    LeftShape,
    MemberShape,
    MembershipBody,
    Memberships,
    OwnedProjects,
    member_shape,
    owned_project_shape,
)
from serve_apps.authentication import OrganizationPrincipal
from storage.postgres.memberships import OrganizationMembers
from storage.postgres.projects import Projects

router = APIRouter(prefix="/organizations", tags=["organizations"])


@router.get("/projects")
async def list_organization_projects(
    principal: OrganizationPrincipal, dependencies: Dependencies
) -> Answer[OwnedProjects]:
    """Every project of the organization, oldest first."""
    found = await Projects(dependencies.database).list_of(principal.organization_id)
    return answer({"projects": list(map(owned_project_shape, found))})


@router.get("/apiKeys")
async def list_organization_keys(principal: OrganizationPrincipal, dependencies: Dependencies) -> Answer[KeyList]:
    """Every key of the organization itself that is not revoked."""
    owner = OfOrganization(principal.organization_id)
    return await OwnedKeys(dependencies.administration.api_keys, owner).listed()


@router.get("/memberships")
async def list_organization_memberships(
    principal: OrganizationPrincipal, dependencies: Dependencies
) -> Answer[Memberships]:
    """Every member of the organization."""
    members = await OrganizationMembers(dependencies.database, principal.organization_id).all()
    return answer({"memberships": list(map(member_shape, members))})


@router.put("/memberships")
async def put_organization_membership(
    body: MembershipBody, principal: OrganizationPrincipal, dependencies: Dependencies
) -> Answer[MemberShape]:
    """Give a user a role in the organization, in place of one that they may have."""
    members = OrganizationMembers(dependencies.database, principal.organization_id)
    return answer(member_shape(await members.put(UserId(body.user_id), body.role)))


@router.delete("/memberships")
async def delete_organization_membership(
    body: LeavingBody, principal: OrganizationPrincipal, dependencies: Dependencies
) -> Answer[LeftShape]:
    """Take a user out of the organization and of its projects."""
    await OrganizationMembers(dependencies.database, principal.organization_id).remove(UserId(body.user_id))
    return answer({"message": "Membership removed successfully", "userId": body.user_id})
