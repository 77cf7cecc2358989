"""The first start: one organization, project, key pair and user, so that nobody meets an empty server."""

import secrets

from sqlalchemy import func, select

from heliograph.domain.access import FirstAccess, Project, Role
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import ProjectNotFound
from heliograph.settings import FirstProject
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.projects import Projects
from storage.postgres.users import Users

# Held while the first things are created, so that two starts at once create them once. Any number of our own.
_LOCK = 0x48454C49


async def create_first(database: Database, first: FirstProject, pepper: str) -> FirstAccess:
    """Create what is missing of the first organization, project, key pair and user.

    Secrets are in the result only when they were created by this call; what exists is never changed.
    """
    async with database.transaction() as session:
        await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        project = await _project(Projects(database), first)
        public_key, secret_key = await _keys(ApiKeys(database, pepper), first, project.id)
        users = Users(database)
        user, password = await users.by_email(first.user_email), ""
        if user is None:
            password = first.user_password or secrets.token_urlsafe(12)
            user = await users.create(first.user_email, first.user_name, password)
            await users.join_organization(user.id, project.organization_id, Role.OWNER)
    return FirstAccess(project=project, public_key=public_key, user=user, secret_key=secret_key, password=password)


async def _project(projects: Projects, first: FirstProject) -> Project:
    """Find the given project, or without a given one the oldest there is; create it when there is none."""
    try:
        existing = await (projects.get(ProjectId(first.project_id)) if first.project_id else projects.oldest())
    except ProjectNotFound:
        existing = None
    return existing or await projects.create(
        first.project_name,
        project_id=first.project_id,
        organization_id=first.organization_id,
        organization_name=first.organization_name,
    )


async def _keys(api_keys: ApiKeys, first: FirstProject, project_id: ProjectId) -> tuple[str, str]:
    existing = await api_keys.public_keys_of(project_id)
    if first.public_key in existing or (existing and not first.public_key):
        return first.public_key or existing[0], ""
    issued = await api_keys.create(
        project_id, note="first key", public_key=first.public_key, secret_key=first.secret_key
    )
    return issued.public_key, issued.secret_key
