"""What the API answers, held against its own description: by a middleware, whatever client asked."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from fastapi import FastAPI
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_apps import document
from serve_apps.query_api import ROUTERS
from tests.integration.api.access.routes import MOUNT

_JSON = "application/json"
_NAME = "urn:document"
_FORMATS = FormatChecker(())


@_FORMATS.checks("date-time", raises=ValueError)  # type: ignore[untyped-decorator]  # it has no types
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def completed_document() -> dict[str, Any]:
    """The description as it is served, without an application behind it."""
    app = FastAPI(title="Heliograph")
    for router in ROUTERS:
        app.include_router(router)
    document.install(app)
    return app.openapi()


class Description:
    """What an API's document says of single answers."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self._described = described
        paths = sorted(described["paths"], key=lambda path: len(re.sub(r"{\w+}", "", path)), reverse=True)
        self._paths = {re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(path))): path for path in paths}
        self._registry: Registry[Any] = Registry().with_resource(_NAME, DRAFT202012.create_resource(described))
        self._validators: dict[tuple[str, ...], Draft202012Validator] = {}

    def operation(self, method: str, path: str) -> tuple[str, Mapping[str, Any]] | None:
        """The description of the route that a request is for; of several that fit, the one that names most."""
        for pattern, template in self._paths.items():
            operations = self._described["paths"][template]
            if method.lower() in operations and pattern.fullmatch(path):
                return template, operations[method.lower()]
        return None

    def violations(self, method: str, path: str, *, status: int, content: bytes) -> Iterator[str]:
        """What in a JSON answer is not as it is described; nothing where nothing has this path."""
        found = self.operation(method, path)
        if found is None:
            return
        template, operation = found
        route = f"{method} {template} {status}"
        if _JSON not in operation["responses"].get(str(status), {}).get("content", {}):
            yield f"{route} is not described"
            return
        place = ("paths", template, method.lower(), "responses", str(status), "content", _JSON, "schema")
        for error in self.errors(place, json.loads(content)):
            yield f"{route} {error}"

    def errors(self, place: tuple[str, ...], value: Any) -> Iterator[str]:
        """What in a value is not as the schema at a place of the document has it."""
        if place not in self._validators:
            pointer = "/".join(name.replace("~", "~0").replace("/", "~1") for name in place)
            self._validators[place] = Draft202012Validator(
                {"$ref": f"{_NAME}#/{pointer}"}, registry=self._registry, format_checker=_FORMATS
            )
        for error in self._validators[place].iter_errors(value):
            yield f"{error.json_path}: {error.message[:500]}"


class Conformance:
    """Notes whatever an application answers otherwise than its description says."""

    def __init__(self, app: ASGIApp, *, violations: list[str]) -> None:
        self._app = app
        self._violations = violations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass request and answer on, and look at the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, media, content = 0, "", bytearray()

        async def send_noting(message: Message) -> None:
            nonlocal status, media
            if message["type"] == "http.response.start":
                status = message["status"]
                media = dict(message["headers"]).get(b"content-type", b"").decode()
            elif message["type"] == "http.response.body":
                content.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, send_noting)
        if media.startswith(_JSON) and status < 500:
            path = scope["path"].removeprefix(MOUNT)
            self._violations += description().violations(scope["method"], path, status=status, content=bytes(content))


@cache
def description() -> Description:
    """That of the query API, made once."""
    return Description(completed_document())


def observed(app: FastAPI) -> list[str]:
    """What the application will have answered otherwise than described; it must not have started yet."""
    violations: list[str] = []
    app.add_middleware(Conformance, violations=violations)
    return violations
