"""The project that a key belongs to; SDKs check their keys here."""

from fastapi import APIRouter

from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.shapes.lists import ListOf
from serve_apps.api.shapes.organizations import ProjectShape, project_shape
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.projects import Projects

router = APIRouter(tags=["projects"])


@router.get("/projects")
async def list_projects(principal: ProjectPrincipal, dependencies: Dependencies) -> Answer[ListOf[ProjectShape]]:
    """The one project of the caller's key."""
    project = await Projects(dependencies.database).get(principal.project_id)
    return answer({"data": [project_shape(project)]})
