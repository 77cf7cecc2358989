"""The project that a key belongs to; SDKs check their keys here."""

from typing import Any

from fastapi import APIRouter, Response

from serve_apps.api.answers import answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.projects import Projects

router = APIRouter(tags=["projects"])


@router.get("/projects")
async def list_projects(principal: ProjectPrincipal, dependencies: Dependencies) -> Response:
    """The one project of the caller's key."""
    project = await Projects(dependencies.database).get(principal.project_id)
    shown: dict[str, Any] = {
        "id": project.id,
        "name": project.name,
        "organization": {"id": project.organization_id, "name": project.organization_name},
        "metadata": project.metadata,
    }
    if project.retention_days is not None:
        shown["retentionDays"] = project.retention_days
    return answer({"data": [shown]})
