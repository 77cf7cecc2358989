"""Files of projects: a link that leads whoever may see the project to one that is good for minutes."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard.components.media import PATH
from dashboard.viewer import current_viewer
from heliograph.domain.not_found import MediaNotFound
from storage.objects.media import MediaObjects
from storage.postgres.connection import Database
from storage.postgres.media import ProjectMedia

# Long enough to hear a recording to its end, and to move within it.
_SECONDS = 600


@dataclass(frozen=True)
class Files:
    """The route of files; it stands behind the gate, which has told who looks."""

    database: Database
    objects: MediaObjects

    @property
    def origin(self) -> str:
        """From where browsers are given the files."""
        parts = urlsplit(self.objects.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def route(self) -> Route:
        """What `components.media` links to."""
        return Route(f"{PATH}/{{project_id}}/{{media_id}}", self._open, methods=["GET"])

    async def _open(self, request: Request) -> Response:
        project = current_viewer.get().project(request.path_params["project_id"])
        if project is None:
            return PlainTextResponse("No such file.", 404)
        try:
            media = await ProjectMedia(self.database, project.id).get(request.path_params["media_id"])
        except MediaNotFound:
            return PlainTextResponse("No such file.", 404)
        url, _ = self.objects.download_url(project.id, media, _SECONDS)
        return RedirectResponse(url, 303, {"Cache-Control": "no-store"})
