"""Who looks at a page, and which projects that person may see."""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from heliograph.domain.access import Project, User


@dataclass(frozen=True)
class Viewer:
    """The signed-in user with the projects of that user's memberships."""

    user: User
    projects: Sequence[Project]

    def project(self, project_id: str) -> Project | None:
        """The named project if the viewer may see it; the first one when none is named."""
        if not project_id:
            return self.projects[0] if self.projects else None
        return next((project for project in self.projects if project.id == project_id), None)


# Set by the gate for each request. Panel creates a page's session inside that request, so the page can read it.
current_viewer: ContextVar[Viewer] = ContextVar("current_viewer")
