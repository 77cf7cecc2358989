"""Calls to addresses that users name: never into the networks that this machine stands in, unless they are allowed."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from re import Pattern
from urllib.parse import urlsplit

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# These carry an IPv4 address inside, which a gateway would unpack.
_TUNNELS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))
# Of an answer that tells what went wrong.
_MAX_REASON_BYTES = 100_000
_PORTS = {"http": 80, "https": 443}


class CallFailed(Exception):
    """A call that brought no usable answer; the text says why, without anything that was sent.

    `status` is that of an answer which was not 200, else 0.
    """

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


def check_url(url: str) -> None:
    """Raises ValueError with what is wrong with a URL that is to be called."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        reason = "must be a URL that begins with http:// or https://"
        raise ValueError(reason)
    if parts.username is not None or parts.password is not None:
        reason = "must not hold a user or a password"
        raise ValueError(reason)
    _ = parts.port  # raises ValueError, too


class Outbound:
    """Calls addresses that users name. Every address is checked when it is connected to; no redirect is followed.

    Args:
        allowed: networks that may be reached although they are private.
    """

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)
        self._client: httpx.AsyncClient | None = None

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout: float, max_bytes: int
    ) -> bytes:
        """The body of the answer with status 200.

        Args:
            url: where to; see `check_url`.
            content: the body.
            headers: of the request; without a content type among them the body is JSON.
            timeout: seconds for the whole call.
            max_bytes: how long the answer may be.

        Raises:
            CallFailed: refused, late, too long, or another status.
        """
        typed = {"content-type": "application/json", **{name.lower(): value for name, value in headers.items()}}
        return await self._call(url, content, typed, timeout=timeout, max_bytes=max_bytes)

    async def get(self, url: str, *, timeout: float, max_bytes: int) -> bytes:
        """The same of a request without a body."""
        return await self._call(url, None, {}, timeout=timeout, max_bytes=max_bytes)

    async def put(
        self,
        url: str,
        content: AsyncIterator[bytes],
        headers: Mapping[str, str],
        *,
        timeout: float,
        code: Pattern[bytes],
    ) -> None:
        """Send a file, whose length the headers tell.

        Args:
            url: where to; see `check_url`.
            content: the file, piece by piece.
            headers: of the request.
            timeout: seconds for the whole call.
            code: finds in the answer of a failure by which name the other side calls it.

        Raises:
            CallFailed: refused, late, or a status that is no success.
        """
        async with _failing(timeout):
            request = self._connections().build_request("PUT", url, content=content, headers=dict(headers))
            response = await self._connections().send(request, stream=True)
            try:
                if not response.is_success:
                    told = code.search(await _body(response, _MAX_REASON_BYTES))
                    name = f" ({told[1].decode('ascii', 'replace')})" if told else ""
                    reason = f"it answered with status {response.status_code}{name}"
                    raise CallFailed(reason, response.status_code)
            finally:
                await response.aclose()

    async def _call(
        self, url: str, content: bytes | None, headers: Mapping[str, str], *, timeout: float, max_bytes: int
    ) -> bytes:
        async with _failing(timeout):
            return await self._answer(url, content, headers, max_bytes=max_bytes)

    async def check(self, url: str) -> None:
        """Raise ValueError or CallFailed when a URL may not be called, as far as can be told before it is.

        A host that is not known at the moment passes: each call checks its address again.
        """
        check_url(url)
        parts = urlsplit(url)
        with contextlib.suppress(OSError, UnicodeError):
            await self.address_of(parts.hostname or "", parts.port or _PORTS[parts.scheme])

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    def transport(self) -> httpx.AsyncBaseTransport:
        """What a client of somebody else's calls through; it raises CallFailed where an address may not be reached."""
        return _Guarded(self.address_of)

    async def _answer(self, url: str, content: bytes | None, headers: Mapping[str, str], *, max_bytes: int) -> bytes:
        method = "GET" if content is None else "POST"
        request = self._connections().build_request(method, url, content=content, headers=dict(headers))
        response = await self._connections().send(request, stream=True)
        try:
            if response.status_code != 200:
                reason = f"it answered with status {response.status_code}"
                raise CallFailed(reason, response.status_code)
            return await _body(response, max_bytes)
        finally:
            await response.aclose()

    @property
    def allowed(self) -> tuple[Network, ...]:
        """The private networks that may be reached."""
        return self._allowed

    async def address_of(self, host: str, port: int) -> Address:
        """The address of a host; raises CallFailed when any of its addresses may not be reached."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).split("%", 1)[0]) for entry in found]
        if not addresses or not all(map(self._may_be_reached, addresses)):
            reason = "its address is in a private network, see HELIOGRAPH_OUTBOUND__ALLOWED_NETWORKS"
            raise CallFailed(reason)
        return addresses[0]

    def _may_be_reached(self, address: Address) -> bool:
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in network for network in self._allowed):
            return True
        return address.is_global and not address.is_multicast and not any(address in tunnel for tunnel in _TUNNELS)

    def _connections(self) -> httpx.AsyncClient:
        """Made late: it belongs to the loop that calls."""
        if self._client is None:
            guarded = self.transport()
            self._client = httpx.AsyncClient(transport=guarded, follow_redirects=False, timeout=None)  # noqa: S113 - `post` has one
        return self._client


class _Guarded(httpx.AsyncBaseTransport):
    """Checks the address of each request, of a redirect's too, and connects to the one that was checked.

    A name may resolve to another address a moment later.
    """

    def __init__(self, checked: Callable[[str, int], Awaitable[Address]]) -> None:
        self._checked = checked
        self._transport = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check_url(str(request.url))
        host = request.url.host
        address = await self._checked(host, request.url.port or _PORTS[request.url.scheme])
        # Its headers name the host already.
        checked = httpx.Request(
            request.method,
            request.url.copy_with(host=str(address)),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return await self._transport.handle_async_request(checked)

    async def aclose(self) -> None:
        await self._transport.aclose()


@contextlib.asynccontextmanager
async def _failing(timeout: float) -> AsyncIterator[None]:
    """Raise CallFailed for whatever goes wrong inside, or is not done in time."""
    try:
        async with asyncio.timeout(timeout):
            yield
            return
    except TimeoutError:
        reason = f"there was no answer within {timeout:g} s"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        reason = f"it cannot be reached ({type(error).__name__})"
    raise CallFailed(reason)


async def _body(response: httpx.Response, max_bytes: int) -> bytes:
    received = bytearray()
    async for chunk in response.aiter_bytes():
        received += chunk
        if len(received) > max_bytes:
            reason = f"its answer is longer than {max_bytes} bytes"
            raise CallFailed(reason)
    return bytes(received)
