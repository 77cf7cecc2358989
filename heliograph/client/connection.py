"""The connection to a server: what is tried again, and what its answers mean."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from heliograph.domain.errors import (
    AccessDenied,
    Conflict,
    HeliographError,
    InvalidRequest,
    KeyUnknown,
    QueryTooExpensive,
    TooManyStreams,
    Unavailable,
)
from heliograph.domain.not_found import NothingThere, TraceNotFound

_ATTEMPTS = 6
_TRY_LATER = frozenset({429, 502, 503, 504})
_TIMEOUT = httpx.Timeout(120, connect=5)
_MAX_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Server:
    """Where a project is, and its keys. It may be pickled: a Ray task connects with it."""

    url: str
    public_key: str
    secret_key: str = field(repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """Those of an httpx client."""
        login = (self.public_key, self.secret_key)
        base = f"{self.url.rstrip('/')}/api/public"
        return {"base_url": base, "auth": login, "timeout": _TIMEOUT, "trust_env": False}


class Connection:
    """Requests of one project, each tried for a while; threads may share it."""

    def __init__(self, server: Server, transport: httpx.BaseTransport | None = None) -> None:
        self.server = server
        self._client = httpx.Client(**server.options, transport=transport)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer.

        Raises:
            KeyUnknown, AccessDenied: the keys are not those of a project here.
            NotFound: the server has no such thing.
            InvalidRequest: the server does not take this.
            QueryTooExpensive: it would take too long, or too much memory.
            Unavailable, TooManyStreams: the server did not answer for a while.
        """
        with self._opened(method, path, body) as answer:
            answer.read()
            return answer.json()

    @contextmanager
    def stream(self, path: str, body: Any) -> Iterator[Iterator[bytes]]:
        """The bytes of an answer as they come; raises what `request` raises."""
        with self._opened("POST", path, body) as answer:
            yield answer.iter_raw()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def _opened(self, method: str, path: str, body: Any) -> Iterator[httpx.Response]:
        for attempt in range(_ATTEMPTS):
            request = self._client.build_request(method, path, json=body)
            try:
                answer = self._client.send(request, stream=True)
            except httpx.TransportError:
                failed = None
            else:
                if answer.status_code not in _TRY_LATER:
                    try:
                        if answer.is_error:
                            answer.read()
                        raise_refusal(answer, path)
                        yield answer
                    finally:
                        answer.close()
                    return
                failed = answer
                answer.close()
            if attempt < _ATTEMPTS - 1:
                time.sleep(wait_seconds(failed, attempt))
        raise gave_up(failed, self.server)


class AsyncConnection:
    """The same for an event loop."""

    def __init__(self, server: Server, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.server = server
        self._client = httpx.AsyncClient(**server.options, transport=transport)

    async def request(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer; raises what `Connection.request` raises."""
        async with self._opened(method, path, body) as answer:
            await answer.aread()
            return answer.json()

    @asynccontextmanager
    async def stream(self, path: str, body: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of an answer as they come."""
        async with self._opened("POST", path, body) as answer:
            yield answer.aiter_raw()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def _opened(self, method: str, path: str, body: Any) -> AsyncIterator[httpx.Response]:
        for attempt in range(_ATTEMPTS):
            request = self._client.build_request(method, path, json=body)
            try:
                answer = await self._client.send(request, stream=True)
            except httpx.TransportError:
                failed = None
            else:
                if answer.status_code not in _TRY_LATER:
                    try:
                        if answer.is_error:
                            await answer.aread()
                        raise_refusal(answer, path)
                        yield answer
                    finally:
                        await answer.aclose()
                    return
                failed = answer
                await answer.aclose()
            if attempt < _ATTEMPTS - 1:
                await asyncio.sleep(wait_seconds(failed, attempt))
        raise gave_up(failed, self.server)


def wait_seconds(answer: httpx.Response | None, attempt: int) -> float:
    """How long to wait before the next attempt: what the server says, else twice as long each time."""
    try:
        told = float(answer.headers.get("retry-after", "")) if answer is not None else None
    except ValueError:
        told = None
    return min(2**attempt / 4 if told is None else told, _MAX_WAIT_SECONDS)


def gave_up(answer: httpx.Response | None, server: Server) -> HeliographError:
    """The error after the last attempt."""
    if answer is not None and answer.status_code == 429:
        return TooManyStreams(wait_seconds(answer, 0))
    return Unavailable(server.url, 1)


def raise_refusal(answer: httpx.Response, path: str) -> None:
    """Raise what an answer of another status than success means; its body has been read."""
    if answer.is_success:
        return
    match answer.status_code:
        case 401:
            raise KeyUnknown
        case 403:
            raise AccessDenied(told(answer))
        case 404 if path.startswith("/traces/"):
            raise TraceNotFound(path.removeprefix("/traces/"))
        case 409:
            raise Conflict(path, told(answer))
        case 404:
            raise NothingThere(told(answer))
        case 422:
            raise QueryTooExpensive
        case _:
            raise InvalidRequest(path, told(answer))


def told(answer: httpx.Response) -> str:
    """What the server says is wrong."""
    try:
        body = answer.json()
    except ValueError:
        return f"the server answers {answer.status_code}"
    issues = body.get("error") if isinstance(body, dict) else None
    if isinstance(issues, list):
        return "; ".join(f"{'.'.join(map(str, issue['path']))}: {issue['message']}" for issue in issues)
    return str(body.get("message", body)) if isinstance(body, dict) else str(body)
