"""What people change from the pages: each change is held against their role at that moment, whatever a page shows."""

from collections.abc import Sequence

from heliograph.domain.access import PROJECT_SCOPES, Role, User
from heliograph.domain.annotations import Commented, CommentedType
from heliograph.domain.audit import Actor, ActorType, act_as
from heliograph.domain.errors import InvalidRequest, RoleInsufficient
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.prompts import NewPrompt, Prompt
from storage.postgres.comments import Comments
from storage.postgres.connection import Database
from storage.postgres.memberships import Roles
from storage.postgres.prompts import Prompts

COMMENTS, PROMPTS = "comments:CUD", "prompts:CUD"
MAX_COMMENT = 5000


class ProjectChanges:
    """The changes that one user may make in one project; each raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, database: Database, project_id: ProjectId, user: User) -> None:
        self._roles = Roles(database)
        self._comments = Comments(database, project_id)
        self._prompts = Prompts(database, project_id)
        self._project_id = project_id
        self.user = user

    async def may(self, scope: str) -> bool:
        """Whether the user has the scope now: what a page shows follows it, what is done asks again."""
        return scope in PROJECT_SCOPES[await self._role()]

    async def comment_on_trace(self, trace_id: str, content: str) -> None:
        """Keep a comment; raises InvalidRequest when it says nothing or too much."""
        await self._act(COMMENTS)
        if not content.strip() or len(content) > MAX_COMMENT:
            raise InvalidRequest("content", f"has 1 to {MAX_COMMENT} characters")
        await self._comments.create(Commented(CommentedType.TRACE, trace_id, trace_id), content, self.user.id)

    async def create_prompt_version(self, new: NewPrompt) -> Prompt:
        """Create the next version of a prompt; raises what `Prompts.created` raises."""
        await self._act(PROMPTS)
        return await self._prompts.created(new)

    async def label_prompt(self, name: str, version: int, labels: Sequence[str]) -> Prompt:
        """Put labels on a version; raises what `Prompts.labelled` raises."""
        await self._act(PROMPTS)
        return await self._prompts.labelled(name, version, labels)

    async def _act(self, scope: str) -> None:
        """Hold the change against the role, and let the audit log name the user."""
        if scope not in PROJECT_SCOPES[role := await self._role()]:
            raise RoleInsufficient(role)
        act_as(Actor(ActorType.USER, self.user.id, self.user.email))

    async def _role(self) -> Role:
        return await self._roles.in_project(self.user.id, self._project_id)
