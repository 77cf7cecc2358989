"""The projects of an organization: created, changed and ended with its key; their keys and members."""

from typing import Annotated

from fastapi import APIRouter, Depends

from heliograph.domain.access import Principal
from heliograph.domain.identifiers import ProjectId, UserId
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies, QueryDependencies
from serve_apps.api.owned_keys import OwnedKeys
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.lists import Done, DoneAndTold
from serve_apps.api.shapes.organizations import (
    IssuedKeyShape,
    KeyBody,
    KeyList,
    LeavingBody,
    LeftShape,
    MemberShape,
    MembershipBody,
    Memberships,
    ProjectBody,
    ProjectShape,
    member_shape,
    project_shape,
)
from serve_apps.authentication import OrganizationPrincipal
from storage.postgres.memberships import ProjectMembers
from storage.postgres.organization_projects import OrganizationProjects

router = APIRouter(prefix="/projects", tags=["projects"])


async def _projects(dependencies: Dependencies, principal: OrganizationPrincipal) -> OrganizationProjects:
    return OrganizationProjects(dependencies.database, principal.organization_id)


def _members(project_id: str, principal: Principal, dependencies: QueryDependencies) -> ProjectMembers:
    return ProjectMembers(dependencies.database, principal.organization_id, ProjectId(project_id))


OwnProjects = Annotated[OrganizationProjects, Depends(_projects)]


async def _keys(project_id: Text, projects: OwnProjects, dependencies: Dependencies) -> OwnedKeys:
    project = await projects.get(ProjectId(project_id))
    return OwnedKeys(dependencies.administration.api_keys, project.id)


@router.post("", status_code=201)
async def create_project(body: ProjectBody, projects: OwnProjects) -> Answer[ProjectShape]:
    """Create a project of the organization."""
    return answer(project_shape(await projects.create(body.name, body.metadata or {}, body.retention or None)), 201)


@router.put("/{project_id}")
async def change_project(project_id: Text, body: ProjectBody, projects: OwnProjects) -> Answer[ProjectShape]:
    """Change the name, the metadata and the retention of a project; what is absent stays."""
    changed = await projects.change(
        ProjectId(project_id), name=body.name, metadata=body.metadata, retention_days=body.retention
    )
    return answer(project_shape(changed))


@router.delete("/{project_id}", status_code=202)
async def end_project(project_id: Text, projects: OwnProjects) -> Answer[DoneAndTold]:
    """End a project: its keys at once, and all that it holds within minutes."""
    await projects.end(ProjectId(project_id))
    message = "Project deletion has been initiated and is being processed asynchronously"
    return answer({"success": True, "message": message}, 202)


@router.get("/{project_id}/apiKeys")
async def list_project_keys(keys: Annotated[OwnedKeys, Depends(_keys)]) -> Answer[KeyList]:
    """Every key of the project that is not revoked."""
    return await keys.listed()


@router.post("/{project_id}/apiKeys", status_code=201)
async def create_project_key(body: KeyBody, keys: Annotated[OwnedKeys, Depends(_keys)]) -> Answer[IssuedKeyShape]:
    """Issue a key pair of the project; its secret is shown this once."""
    return await keys.issued(body)


@router.delete("/{project_id}/apiKeys/{key_id}")
async def revoke_project_key(key_id: Text, keys: Annotated[OwnedKeys, Depends(_keys)]) -> Answer[Done]:
    """End a key now; every replica refuses it within 6 seconds."""
    return await keys.revoked(key_id)


@router.get("/{project_id}/memberships")
async def list_project_memberships(
    project_id: Text, principal: OrganizationPrincipal, dependencies: Dependencies
) -> Answer[Memberships]:
    """Every user who has another role in the project than in its organization."""
    return answer({"memberships": list(map(member_shape, await _members(project_id, principal, dependencies).all()))})


@router.put("/{project_id}/memberships")
async def put_project_membership(
    project_id: Text, body: MembershipBody, *, principal: OrganizationPrincipal, dependencies: Dependencies
) -> Answer[MemberShape]:
    """Give a member of the organization another role in the project."""
    members = _members(project_id, principal, dependencies)
    return answer(member_shape(await members.put(UserId(body.user_id), body.role)))


@router.delete("/{project_id}/memberships")
async def delete_project_membership(
    project_id: Text, body: LeavingBody, *, principal: OrganizationPrincipal, dependencies: Dependencies
) -> Answer[LeftShape]:
    """Take that role away again."""
    await _members(project_id, principal, dependencies).remove(UserId(body.user_id))
    return answer({"message": "Membership removed successfully", "userId": body.user_id})
