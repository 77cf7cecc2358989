"""What people change from the pages: each change is held against their role at that moment, whatever a page shows."""

from collections.abc import Sequence

from heliograph.domain.access import Role, User
from heliograph.domain.annotations import Commented, CommentedType
from heliograph.domain.errors import InvalidRequest, RoleInsufficient
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.prompts import NewPrompt, Prompt
from storage.postgres.comments import Comments
from storage.postgres.connection import Database
from storage.postgres.prompts import Prompts
from storage.postgres.users import Users

WRITERS = frozenset({Role.OWNER, Role.ADMIN, Role.MEMBER})
MAX_COMMENT = 5000


class ProjectChanges:
    """The changes that one user may make in one project; each raises RoleInsufficient when its role allows none."""

    def __init__(self, database: Database, project_id: ProjectId, user: User) -> None:
        self._users = Users(database)
        self._comments = Comments(database, project_id)
        self._prompts = Prompts(database, project_id)
        self._project_id = project_id
        self.user = user

    async def are_allowed(self) -> bool:
        """Whether the user may change anything now: what a page shows follows it, what is done asks again."""
        return await self._role() in WRITERS

    async def comment_on_trace(self, trace_id: str, content: str) -> None:
        """Keep a comment; raises InvalidRequest when it says nothing or too much."""
        await self._check()
        if not content.strip() or len(content) > MAX_COMMENT:
            raise InvalidRequest("content", f"has 1 to {MAX_COMMENT} characters")
        await self._comments.create(Commented(CommentedType.TRACE, trace_id, trace_id), content, self.user.id)

    async def create_prompt_version(self, new: NewPrompt) -> Prompt:
        """Create the next version of a prompt; raises what `Prompts.created` raises."""
        await self._check()
        return await self._prompts.created(new)

    async def label_prompt(self, name: str, version: int, labels: Sequence[str]) -> Prompt:
        """Put labels on a version; raises what `Prompts.labelled` raises."""
        await self._check()
        return await self._prompts.labelled(name, version, labels)

    async def _check(self) -> None:
        if (role := await self._role()) not in WRITERS:
            raise RoleInsufficient(role)

    async def _role(self) -> Role:
        return await self._users.role_in(self.user.id, self._project_id)
