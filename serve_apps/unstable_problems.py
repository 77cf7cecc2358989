"""Errors of the unstable routes, and of those that became stable: a message, a code for programs, and details."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from heliograph.domain import errors
from heliograph.domain.evaluation_errors import EvaluationRefused

_PREFIX = "/unstable/"
# Its clients know no codes but those of the statuses.
_STABLE = ("/v2/evaluators", "/v2/evaluation-rules")
_CODES = {
    400: "invalid_request",
    401: "authentication_failed",
    403: "access_denied",
    404: "resource_not_found",
    405: "method_not_allowed",
    409: "conflict",
    422: "invalid_request",
    429: "rate_limited",
}


def is_unstable(request: Request) -> bool:
    """Whether the request is to a route of this group."""
    return _PREFIX in request.url.path or _is_stable(request)


def retold(request: Request, error: Exception, told: JSONResponse) -> JSONResponse:
    """The usual answer to an error, in this group's form, with its status and headers."""
    usual = json.loads(bytes(told.body))
    headers = {name: value for name, value in told.headers.items() if name not in {"content-length", "content-type"}}
    code = _CODES.get(told.status_code, "internal_error")
    if isinstance(error, EvaluationRefused) and not _is_stable(request):
        code = error.code
    body: dict[str, Any] = {"message": usual["message"], "code": code}
    if details := _details(error) or usual.get("details"):
        body["details"] = details
    return JSONResponse(body, told.status_code, headers)


def malformed(issues: list[dict[str, Any]], *, is_query: bool) -> JSONResponse:
    """The answer to a request that breaks the schema."""
    code = "invalid_query" if is_query else "invalid_body"
    first = ".".join(map(str, issues[0]["path"]))
    details: dict[str, Any] = {"issues": issues, **({"field": first} if first else {})}
    return JSONResponse({"message": f"{first}: {issues[0]['message']}", "code": code, "details": details}, 400)


def _is_stable(request: Request) -> bool:
    return any(path in request.url.path for path in _STABLE)


def _details(error: Exception) -> dict[str, Any]:
    if isinstance(error, EvaluationRefused):
        return dict(error.details)
    return {"field": error.field} if isinstance(error, errors.InvalidRequest | errors.Conflict) else {}
