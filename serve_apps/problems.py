"""Errors as HTTP answers: one table from the domain's errors to the contract's statuses and names."""

import math
from typing import Any, NamedTuple

from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliograph.domain import errors, lane_errors
from heliograph.domain.evaluation_errors import EvaluationRefused, EvaluatorNotRunnable, NameConflict
from heliograph.domain.not_found import NotFound
from heliograph.telemetry import logger
from serve_apps import unstable_problems
from storage.seal import SecretUnreadable

_log = logger("http")

CLIENT_CLOSED_REQUEST = 499


class Problem(NamedTuple):
    """A status, and the contract's name for it; authentication failures have none."""

    status: int
    name: str = ""


UNEXPECTED = Problem(500, "InternalServerError")

PROBLEMS: dict[type[errors.HeliographError], Problem] = {
    errors.InvalidRequest: Problem(400, "InvalidRequestError"),
    errors.MalformedPayload: Problem(400, "InvalidRequestError"),
    errors.UnsupportedContentType: Problem(400, "Invalid content type"),
    errors.UnsupportedEncoding: Problem(415, "UnsupportedMediaTypeError"),
    errors.PayloadTooLarge: Problem(413, "PayloadTooLargeError"),
    errors.CredentialsMissing: Problem(401),
    errors.CredentialsMalformed: Problem(401),
    errors.KeyUnknown: Problem(401),
    errors.KeyRevoked: Problem(401),
    errors.OrganizationKeyRefused: Problem(401),
    errors.AccessDenied: Problem(403),
    errors.RoleInsufficient: Problem(403),
    errors.AdminKeyMissing: Problem(500, "InternalServerError"),
    NotFound: Problem(404, "LangfuseNotFoundError"),
    errors.Conflict: Problem(409, "LangfuseConflictError"),
    NameConflict: Problem(409, "LangfuseConflictError"),
    EvaluatorNotRunnable: Problem(422, "InvalidRequestError"),
    EvaluationRefused: Problem(400, "InvalidRequestError"),
    # Whoever asks mends it: by storing the secret again.
    SecretUnreadable: Problem(409, "LangfuseConflictError"),
    errors.QueryTooExpensive: Problem(422, "Request timed out"),
    errors.RateLimited: Problem(429, "TooManyRequestsError"),
    errors.QuotaExceeded: Problem(429, "TooManyRequestsError"),
    errors.TooManyStreams: Problem(429, "TooManyRequestsError"),
    errors.Overloaded: Problem(429, "TooManyRequestsError"),
    errors.Unavailable: Problem(503, "ServiceUnavailableError"),
    errors.StreamBroken: Problem(503, "ServiceUnavailableError"),
    # A lane that moves or restarts: whoever asks again finds its new place, and exporters ask again after 503 only.
    lane_errors.LaneFenced: Problem(503, "ServiceUnavailableError"),
    lane_errors.LaneMapMissing: Problem(503, "ServiceUnavailableError"),
    lane_errors.WrongLane: Problem(503, "ServiceUnavailableError"),
}

_SCIM = "/scim/"
_LIMITED = (errors.RateLimited, errors.QuotaExceeded)
_HTTP_NAMES = {404: "LangfuseNotFoundError", 405: "MethodNotAllowedError"}


def install(app: Starlette) -> None:
    """Make the application answer every error in the contract's form, the unexpected ones too."""
    app.add_exception_handler(errors.HeliographError, _domain_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _client_gone)
    app.add_middleware(UnexpectedErrors)


def answer(error: errors.HeliographError) -> JSONResponse:
    """The HTTP answer to a domain error."""
    problem = _problem(error)
    if problem is UNEXPECTED:
        _log.error("unexpected_domain_error", error=type(error).__name__, exc_info=error)
        return _unexpected()
    body: dict[str, object] = {"message": str(error)}
    if problem.name:
        body["error"] = problem.name
    if isinstance(error, _LIMITED):
        body |= {"code": "rate_limited", "details": _limit_details(error)}
    return JSONResponse(body, problem.status, _headers(error, problem))


def status_of(error: errors.HeliographError) -> int:
    """The HTTP status of a domain error."""
    return _problem(error).status


def _problem(error: errors.HeliographError) -> Problem:
    return next((PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS), UNEXPECTED)


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.HeliographError)
    if unstable_problems.is_unstable(request):
        return unstable_problems.retold(request, error, answer(error))
    return _scim(str(error), answer(error)) if _SCIM in request.url.path else answer(error)


def _scim(detail: str, told: JSONResponse) -> JSONResponse:
    """An error in the form of RFC 7644, with the status and the headers of the usual one."""
    headers = {name: value for name, value in told.headers.items() if name not in {"content-length", "content-type"}}
    schema = "urn:ietf:params:scim:api:messages:2.0:Error"
    body = {"schemas": [schema], "detail": detail, "status": told.status_code}
    return JSONResponse(body, told.status_code, headers)


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    issues = [_issue(each) for each in error.errors()]
    if unstable_problems.is_unstable(request):
        return unstable_problems.malformed(issues, is_query=error.errors()[0]["loc"][0] == "query")
    if _SCIM in request.url.path:
        place = ".".join(map(str, issues[0]["path"]))
        return _scim(f"{place}: {issues[0]['message']}", JSONResponse(None, 400))
    return JSONResponse({"message": "Invalid request data", "error": issues}, 400)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    messages = {
        404: f"There is no endpoint {request.method} {request.url.path} here",
        405: f"Method {request.method} is not allowed for {request.url.path}",
    }
    message = messages.get(error.status_code, error.detail)
    name = _HTTP_NAMES.get(error.status_code, "InvalidRequestError")
    told = JSONResponse({"message": message, "error": name}, error.status_code, error.headers)
    return unstable_problems.retold(request, error, told) if unstable_problems.is_unstable(request) else told


async def _client_gone(request: Request, error: Exception) -> Response:
    del error
    _log.info("client_disconnected", path=request.url.path)
    return Response(status_code=CLIENT_CLOSED_REQUEST)


def _headers(error: errors.HeliographError, problem: Problem) -> dict[str, str] | None:
    if problem.status in {429, 503}:
        return {"Retry-After": str(_seconds(error)), **_limit_headers(error)}
    if isinstance(error, errors.UnsupportedEncoding):
        return {"Accept-Encoding": "gzip, deflate, identity"}
    return {"WWW-Authenticate": 'Basic realm="Heliograph"'} if problem.status == 401 else None


def _seconds(error: errors.HeliographError) -> int:
    return max(1, math.ceil(getattr(error, "retry_after", 1.0)))


def _limit_details(error: errors.RateLimited | errors.QuotaExceeded) -> dict[str, object]:
    return {"retryAfterSeconds": _seconds(error), "limit": error.limit, "remaining": 0, "resetAt": error.reset_at}


def _limit_headers(error: errors.HeliographError) -> dict[str, str]:
    if not isinstance(error, _LIMITED):
        return {}
    return {
        "X-RateLimit-Limit": str(error.limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(error.reset_at),
    }


def _issue(error: Any) -> dict[str, Any]:
    """One violation in the form that the contract's clients know: code, path, message."""
    _, *path = error["loc"]
    return {"code": error["type"], "path": path, "message": error["msg"]}


def _unexpected() -> JSONResponse:
    body = {"message": "Internal Server Error", "error": UNEXPECTED.name}
    return JSONResponse(body, UNEXPECTED.status)


class UnexpectedErrors:
    """Answers what no table foresaw with 500, and logs it.

    A middleware, since Starlette's own answer to Exception raises it again into the server after having sent it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer for whatever escapes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting_start)
        except Exception as error:
            _log.exception("request_failed", method=scope["method"], path=scope["path"], error=type(error).__name__)
            if has_started:
                raise
            await _unexpected()(scope, receive, send)
