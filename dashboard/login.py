"""Sign-in and sign-out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard.lockout import Lockout
from dashboard.sessions import FORM_COOKIE, FORM_LIFETIME, SESSION_COOKIE, SESSION_LIFETIME, Sessions
from dashboard.single_sign_on import (
    CALLBACK_PATH,
    CHALLENGE_COOKIE,
    CHALLENGE_LIFETIME,
    SignInRefused,
    SingleSignOn,
)
from heliograph.domain.access import User

WRONG = "The e-mail or the password is not right."
LOCKED = "Too many attempts. Wait 15 minutes and try again."
STALE = "This form had expired. Try again."
MAX_FIELD = 1_000

_templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "assets"), autoescape=True)


@dataclass(frozen=True)
class Login:
    """The pages of signing in and out."""

    verify: Callable[[str, str], Awaitable[User | None]]
    sessions: Sessions
    origins: frozenset[str]
    is_https: bool
    lockout: Lockout = field(default_factory=Lockout)
    single_sign_on: SingleSignOn | None = None

    @property
    def routes(self) -> list[Route]:
        """The routes to put before the pages."""
        by_provider = [
            Route("/login/sso", self.begin, methods=["GET"]),
            Route(CALLBACK_PATH, self.finish, methods=["GET"]),
        ]
        return [
            *(by_provider if self.single_sign_on else ()),
            Route("/login", self.show, methods=["GET"]),
            Route("/login", self.submit, methods=["POST"]),
            Route("/logout", self.sign_out, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The form."""
        if self.sessions.signed_in(request.cookies.get(SESSION_COOKIE, "")):
            return RedirectResponse(local_target(request.query_params.get("next", "")), 303)
        return self._form(request, next_page=request.query_params.get("next", ""))

    async def submit(self, request: Request) -> Response:
        """Check the e-mail and the password; each refusal says no more than it must."""
        form = await request.form(max_files=0, max_fields=8)
        email, password, token, next_page = (
            str(form.get(name, ""))[:MAX_FIELD] for name in ("email", "password", "token", "next")
        )
        if not self.sessions.is_own_form(request.cookies.get(FORM_COOKIE, ""), token):
            return self._form(request, next_page=next_page, email=email, error=STALE, status=403)
        address = _address(request)
        if self.lockout.is_locked(email, address):
            return self._form(request, next_page=next_page, email=email, error=LOCKED, status=429)
        user = await self.verify(email.strip(), password)
        if user is None:
            self.lockout.record_failure(email, address)
            return self._form(request, next_page=next_page, email=email, error=WRONG, status=401)
        self.lockout.forgive(email, address)
        return self._signed_in(user, next_page)

    async def begin(self, request: Request) -> Response:
        """Send the browser to the identity provider."""
        next_page = request.query_params.get("next", "")[:MAX_FIELD]
        try:
            address, cookie = await self._provider.begin(next_page)
        except SignInRefused as refusal:
            return self._form(request, next_page=next_page, error=refusal.message, status=refusal.status)
        response = RedirectResponse(address, 303)
        self._set(response, CHALLENGE_COOKIE, cookie, lifetime=CHALLENGE_LIFETIME)
        return response

    async def finish(self, request: Request) -> Response:
        """Whom the provider has sent back is signed in; what began this is good for one answer."""
        try:
            user, next_page = await self._provider.finish(
                request.query_params, request.cookies.get(CHALLENGE_COOKIE, "")
            )
        except SignInRefused as refusal:
            response = self._form(request, next_page="", error=refusal.message, status=refusal.status)
        else:
            response = self._signed_in(user, next_page)
        response.delete_cookie(CHALLENGE_COOKIE, path="/")
        return response

    async def sign_out(self, request: Request) -> Response:
        """Drop the session; a page of another site cannot ask for it."""
        if request.headers.get("origin", "") not in self.origins:
            return Response("Sign out from the dashboard's own page.", 403)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(SESSION_COOKIE, path="/")
        return response

    @property
    def _provider(self) -> SingleSignOn:
        if self.single_sign_on is None:
            raise LookupError("single sign-on")
        return self.single_sign_on

    def _signed_in(self, user: User, next_page: str) -> Response:
        response = RedirectResponse(local_target(next_page), 303)
        self._set(response, SESSION_COOKIE, self.sessions.sign_in(user), lifetime=SESSION_LIFETIME)
        return response

    def _form(
        self, request: Request, *, next_page: str, email: str = "", error: str = "", status: int = 200
    ) -> Response:
        token = self.sessions.form_token()
        is_dark = request.cookies.get("heliograph_theme") == "dark"
        page = _templates.get_template("login.html").render(
            token=token,
            next_page=next_page,
            email=email,
            error=error,
            is_dark=is_dark,
            provider=self.single_sign_on.label if self.single_sign_on else "",
        )
        response = HTMLResponse(page, status, {"Retry-After": "900"} if status == 429 else None)
        self._set(response, FORM_COOKIE, token, lifetime=FORM_LIFETIME)
        return response

    def _set(self, response: Response, name: str, value: str, *, lifetime: timedelta) -> None:
        max_age = int(lifetime.total_seconds())
        response.set_cookie(name, value, max_age=max_age, path="/", secure=self.is_https, httponly=True, samesite="lax")


def local_target(target: str) -> str:
    """The path to go to after signing in: only ever one of this origin."""
    parts = urlsplit(target)
    is_local = target.startswith("/") and not target.startswith(("//", "/\\", "/login")) and not parts.netloc
    return target if is_local and target.isprintable() and "\\" not in target else "/"


def _address(request: Request) -> str:
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    # Only the load balancer in front of us, which is on this machine, is believed about whom it speaks for.
    return forwarded if forwarded and peer in {"127.0.0.1", "::1"} else peer
