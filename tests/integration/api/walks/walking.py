"""Walks: a list read to its end in small parts, whichever way its route is paged."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

from tests.integration.api.access.routes import MOUNT, Route
from tests.integration.api.conftest import ORGANIZATION_KEY, SECRET, Api

LIMIT = 3
# Far more parts than any list here has.
_MOST = 200
Thing = Mapping[str, Any]


class Part(NamedTuple):
    """What one answer holds: things, what to ask for the next one, and how many there are in all, where it is told."""

    things: list[Thing]
    following: dict[str, Any] | None
    total: int | None


def _numbered(asked: Mapping[str, Any], body: Mapping[str, Any]) -> Part:
    meta = body["meta"]
    assert (meta["page"], meta["limit"]) == (asked["page"], asked["limit"])
    assert meta["totalPages"] == -(-meta["totalItems"] // meta["limit"])
    following = {"page": asked["page"] + 1} if asked["page"] < meta["totalPages"] else None
    return Part(body["data"], following, meta["totalItems"])


def _following(asked: Mapping[str, Any], body: Mapping[str, Any]) -> Part:
    del asked
    cursor = body["meta"].get("cursor")
    return Part(body["data"], {"cursor": cursor} if cursor else None, None)


def _indexed(asked: Mapping[str, Any], body: Mapping[str, Any]) -> Part:
    following = asked["startIndex"] + len(body["Resources"])
    is_last = following > body["totalResults"]
    return Part(body["Resources"], None if is_last else {"startIndex": following}, body["totalResults"])


def _offset(asked: Mapping[str, Any], body: Mapping[str, Any]) -> Part:
    things = body["data"]
    return Part(things, {"offset": asked["offset"] + len(things)} if len(things) == asked["limit"] else None, None)


@dataclass(frozen=True)
class Style:
    """A way in which routes are paged: the parameter that tells, what is asked first, and how an answer is read."""

    parameter: str
    first: Mapping[str, Any]
    size: str
    read: Callable[[Mapping[str, Any], Mapping[str, Any]], Part]


STYLES = (
    Style("page", {"page": 1}, "limit", _numbered),
    Style("cursor", {}, "limit", _following),
    Style("startIndex", {"startIndex": 1}, "count", _indexed),
    Style("offset", {"offset": 0}, "limit", _offset),
)


def style_of(route: Route) -> Style | None:
    """How a route is paged, by its description; None where it is not."""
    taken = {each["name"] for each in route.operation.get("parameters", []) if each["in"] == "query"}
    return next((style for style in STYLES if style.parameter in taken), None)


@dataclass
class World:
    """A project, what stands in its paths, and how to put more into it."""

    api: Api
    ids: dict[str, str] = field(default_factory=dict)

    async def put(self, path: str, body: Mapping[str, Any], method: str = "POST", *, of: str = "project") -> Any:
        """Have the API take something; the answer."""
        answer = await self.api.client.request(method, path, json=body, auth=self.auth(of))
        assert answer.is_success, (path, answer.text)
        return answer.json()

    def auth(self, of: str) -> httpx.BasicAuth:
        """The key pair of the project, or of its organization."""
        return httpx.BasicAuth(ORGANIZATION_KEY if of == "organization" else "pk-lf-1", SECRET)


@dataclass(frozen=True)
class Walk:
    """What a walk has seen, part by part, and how many things each answer said there were."""

    parts: list[list[str]]
    totals: list[int | None]

    @property
    def seen(self) -> list[str]:
        """The names of all things, in the order in which they came."""
        return [name for part in self.parts for name in part]


@dataclass(frozen=True, kw_only=True)
class List:
    """A route that is read in parts.

    Attributes:
        path: as the description has it, below the mount.
        add: puts the thing of a number into the project. Where things have times or names, these rise with the number.
        is_once: whether a walk shows what was there once, even while other things arrive.
        is_put: whether adding a number again changes the thing that there is.
        prepare: what has to be there before; it notes ids in the world.
        params: what the route is asked beside.
        name: by which key a thing is recognised.
        of: whose key opens it.
    """

    path: str
    add: Callable[[World, int], Awaitable[object]]
    is_once: bool = False
    is_put: bool = False
    prepare: Callable[[World], Awaitable[None]] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    name: str = "id"
    of: str = "project"
    limit: int = LIMIT

    def __str__(self) -> str:
        return " ".join([self.path, self.add.__name__, *sorted(self.params)])


async def nothing(turn: int) -> None:
    """Let nothing happen between two parts."""
    del turn


async def walk(
    world: World, listed: List, style: Style, between: Callable[[int], Awaitable[None]] = nothing
) -> Walk:  # fmt: skip
    """Read a list to its end; `between` is told how many parts were read, and may change what follows."""
    walked = Walk([], [])
    path = listed.path.format(**world.ids)
    params = {name: str(value).format(**world.ids) for name, value in listed.params.items()}
    asked: dict[str, Any] | None = dict(style.first)
    while asked is not None:
        assert len(walked.parts) < _MOST, "the walk does not end"
        sent = {style.size: listed.limit} | asked
        answer = await world.api.client.get(path, params=params | sent, auth=world.auth(listed.of))
        assert answer.status_code == 200, (path, sent, answer.text)
        things, asked, total = style.read(sent, answer.json())
        walked.parts.append([str(thing[listed.name]) for thing in things])
        walked.totals.append(total)
        await between(len(walked.parts))
    return walked


def key(listed: List) -> str:
    """The route as the description has it."""
    return f"GET {MOUNT}{listed.path}"
