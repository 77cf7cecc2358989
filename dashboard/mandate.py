"""What a user may do in a project: asked before every change, whatever a page shows."""

from heliograph.domain.access import PROJECT_SCOPES, Project, Role, User
from heliograph.domain.audit import Actor, ActorType, act_as
from heliograph.domain.errors import RoleInsufficient
from storage.postgres.connection import Database
from storage.postgres.memberships import Roles

# What admins may, and members may not.
ADMINISTRATION = "project:update"


class Mandate:
    """The mandate of one user in one project, by their role at the moment of asking."""

    def __init__(self, database: Database, project: Project, user: User) -> None:
        self._roles = Roles(database)
        self.project = project
        self.user = user

    async def covers(self, scope: str) -> bool:
        """Whether the user has the scope now: what a page shows follows it, what is done asks again."""
        return scope in PROJECT_SCOPES[await self._role()]

    async def act(self, *scopes: str) -> None:
        """Hold a change against the role, and let the audit log name the user; raises RoleInsufficient."""
        role = await self._role()
        if not PROJECT_SCOPES[role].issuperset(scopes):
            raise RoleInsufficient(role)
        act_as(Actor(ActorType.USER, self.user.id, self.user.email))

    async def _role(self) -> Role:
        return await self._roles.in_project(self.user.id, self.project.id)
