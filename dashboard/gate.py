"""The gate before every page and websocket: nobody passes without a session."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.sessions import SESSION_COOKIE, Sessions
from dashboard.viewer import Viewer, current_viewer
from heliograph.domain.access import Project
from heliograph.domain.identifiers import UserId

OPEN_PREFIXES = ("/login", "/static/", "/assets/")
MEMBERSHIPS_LIFETIME_SECONDS = 5.0
REFUSED = 4401

# Bokeh's page holds inline scripts and compiles components from blobs; nothing may come from, or go to, another host,
# but for files of projects.
POLICY = (
    "default-src 'self'; connect-src 'self' blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:;"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: {files}; media-src 'self' {files};"
    " font-src 'self' data:; worker-src 'self' blob:;"
    " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@dataclass
class Memberships:
    """The projects of each user, remembered for some seconds since one page makes many requests."""

    projects_of: Callable[[UserId], Awaitable[Sequence[Project]]]
    clock: Callable[[], float] = time.monotonic
    _known: dict[UserId, tuple[float, Sequence[Project]]] = field(default_factory=dict)

    async def of(self, user_id: UserId) -> Sequence[Project]:
        """The projects that the user may see."""
        read_at, projects = self._known.get(user_id, (float("-inf"), ()))
        if self.clock() - read_at > MEMBERSHIPS_LIFETIME_SECONDS:
            projects = await self.projects_of(user_id)
            self._known[user_id] = (self.clock(), projects)
        return projects


@dataclass(frozen=True)
class Gate:
    """ASGI middleware: redirects pages to the sign-in, refuses websockets, sets the security headers.

    Attributes:
        origins: whose pages may open websockets.
        files: the origin from which pages show files of projects.
    """

    app: ASGIApp
    sessions: Sessions
    memberships: Memberships
    origins: frozenset[str]
    files: str

    @cached_property
    def _policy(self) -> str:
        return POLICY.format(files=self.files)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through if it is allowed."""
        if scope["type"] == "http":
            await self._http(scope, receive, _secured(send, scope, self._policy))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _path(scope)
        if path.startswith(OPEN_PREFIXES) or await self._admit(scope):
            await self.app(scope, receive, send)
        elif scope["method"] == "GET" and "." not in path:
            await RedirectResponse(f"/login?next={quote(_target(scope), safe='')}", 303)(scope, receive, send)
        else:
            await PlainTextResponse("Sign in first.", 401)(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin", "")
        if origin in self.origins and await self._admit(scope):
            await self.app(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": REFUSED, "reason": "Sign in first."})

    async def _admit(self, scope: Scope) -> bool:
        user = self.sessions.signed_in(_cookie(scope, SESSION_COOKIE))
        if user is None:
            return False
        current_viewer.set(Viewer(user, await self.memberships.of(user.id)))
        return True


def _secured(send: Send, scope: Scope, policy: str) -> Send:
    # Bokeh and Panel put a digest or a release into the address of most static files, so that these never change; what
    # has none is a font, or is loaded by one that has.
    is_static = _path(scope).startswith(("/static/", "/assets/"))
    is_versioned = is_static and bool(scope.get("query_string"))

    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = policy
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "same-origin"
            if is_versioned:
                headers["Cache-Control"] = "public, max-age=31536000, immutable"
            elif is_static:
                headers["Cache-Control"] = "public, max-age=3600"
            elif "text/html" in headers.get("content-type", ""):
                headers["Cache-Control"] = "no-store"
            else:
                headers.setdefault("Cache-Control", "no-cache")
        await send(message)

    return send_secured


def _path(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(scope.get("root_path", "").rstrip("/"))


def _target(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{_path(scope)}?{query}" if query else _path(scope)


def _cookie(scope: Scope, name: str) -> str:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return ""
    return jar[name].value if name in jar else ""
