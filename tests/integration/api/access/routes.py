"""Every route of both doors, taken from the applications themselves, and whom the contract lets through each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route as StarletteRoute

from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import IngestDependencies
from serve_apps.query_api import ROUTERS
from tests.unit.serve_apps.doors import KeptInMemory, KeysInMemory, StoredInMemory

# Where the query API is mounted; the ingestion doors know their whole paths themselves.
MOUNT = "/api/public"


class Access(StrEnum):
    """Whose key opens a route."""

    OPEN = "anybody"
    PROJECT = "the key pair of a project"
    SCORES = "that, or a public key alone"
    INGESTION = "the same, where the key of an organization is none at all"
    ADMINISTRATED = "that of a project, or the admin key that names one"
    ORGANIZATION = "the key pair of an organization"
    ADMINISTRATOR = "the admin key"


# By the beginning of method and path; the first that fits. Whatever is not named here is a project's.
_ACCESS = [
    (r"GET /api/public/(health|ready)$", Access.OPEN),
    (r"POST /api/public/scores$", Access.SCORES),
    (r"POST /api/public/ingestion$", Access.INGESTION),
    (r"\w+ /api/public/(models|llm-connections)(/|$)", Access.ADMINISTRATED),
    (r"GET /api/public/projects$", Access.PROJECT),
    (r"\w+ /api/public/(projects|organizations|scim|integrations)(/|$)", Access.ORGANIZATION),
    (r"\w+ /api/public/heliograph-admin/", Access.ADMINISTRATOR),
]


@dataclass(frozen=True)
class Route:
    """One operation: its method, and its path with what stands in braces."""

    method: str
    path: str
    # The query API's own description of it; empty for the ingestion doors.
    operation: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def line(self) -> str:
        """As the contract lists it: `GET /traces/{}`."""
        return f"{self.method} {re.sub('{[^}]*}', '{}', self.path.removeprefix(MOUNT))}"

    @property
    def access(self) -> Access:
        """Whose key the contract lets through."""
        return next((access for pattern, access in _ACCESS if re.match(pattern, str(self))), Access.PROJECT)

    @property
    def names(self) -> list[str]:
        """What stands in braces, each with the noun before it: `comments.comment_id`."""
        noun = self.path.removeprefix(f"{MOUNT}/").removeprefix("v2/").removeprefix("unstable/").split("/")[0]
        return [f"{noun}.{name}" for name in re.findall(r"{(\w+)}", self.path)]


@cache
def document() -> dict[str, Any]:
    """The query API's description of itself."""
    app = FastAPI()
    for router in ROUTERS:
        app.include_router(router)
    return app.openapi()


def query_routes() -> list[Route]:
    """Those of the query API."""
    return [
        Route(method.upper(), MOUNT + path, operation)
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
    ]


def ingest_routes() -> list[Route]:
    """Those of the ingestion doors."""
    return list(_ingest_routes())


def _ingest_routes() -> Iterator[Route]:
    app = ingest_application(IngestDependencies(KeysInMemory(), KeptInMemory(), StoredInMemory()))
    for route in app.routes:
        assert isinstance(route, StarletteRoute)
        assert not isinstance(route, APIRoute)
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(method, route.path, {})
