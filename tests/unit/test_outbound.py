"""Calls to addresses that users name."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from heliograph.outbound import CallFailed, Outbound, check_url

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[str]:
    """The URL of a server that reads a request and gives this answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await answer(head + await reader.readexactly(2), writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}/mask?a=1"


def plain(status: str, body: bytes, *headers: str) -> Answer:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request)
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return answer


requests: list[bytes] = []


async def post(url: str, outbound: Outbound | None = None, timeout: float = 5.0) -> bytes:
    calling = outbound or Outbound(LOOPBACK)
    try:
        return await calling.post(url, b"{}", {"x-tenant": "blue"}, timeout=timeout, max_bytes=100)
    finally:
        await calling.close()


async def test_the_body_of_the_answer_comes_back() -> None:
    requests.clear()
    async with served(plain("200 OK", b"[1]")) as url:
        assert await post(url) == b"[1]"
    (request,) = requests
    assert request.startswith(b"POST /mask?a=1 HTTP/1.1\r\n")
    assert b"host: localhost:" in request.lower()
    assert b"x-tenant: blue\r\n" in request
    assert b"content-type: application/json\r\n" in request


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [("500 No", b"", "status 500"), ("204 None", b"", "status 204"), ("200 OK", b"x" * 101, "longer than 100")],
)
async def test_any_other_answer_is_a_failure(status: str, body: bytes, reason: str) -> None:
    async with served(plain(status, body)) as url:
        with pytest.raises(CallFailed, match=reason):
            await post(url)


async def test_a_redirect_is_not_followed() -> None:
    requests.clear()
    async with served(plain("307 There", b"", "location: /mask")) as url:
        with pytest.raises(CallFailed, match="status 307"):
            await post(url)
    assert len(requests) == 1


async def test_a_slow_answer_is_a_failure() -> None:
    async def slow(_request: bytes, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)

    async with served(slow) as url:
        with pytest.raises(CallFailed, match=r"within 0\.1 s"):
            await post(url, timeout=0.1)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "localhost",
            "10.0.0.1",
            "192.168.1.1",
            "172.16.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
        ),
        *("[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::]"),
        *("2130706433", "0x7f.1", "224.0.0.1", "[ff02::1]"),
    ],
)
async def test_private_addresses_are_not_called(host: str) -> None:
    with pytest.raises(CallFailed, match="private network"):
        await post(f"http://{host}:9/", Outbound())


async def test_an_allowed_network_opens_no_other() -> None:
    with pytest.raises(CallFailed, match="private network"):
        await post("http://10.0.0.1:9/")


async def test_a_host_that_does_not_answer_is_a_failure() -> None:
    with pytest.raises(CallFailed, match="cannot be reached"):
        await post("http://127.0.0.1:1/")


@pytest.mark.parametrize("url", ["", "ftp://h/", "http://", "//host/", "http://u@h/", "http://h:x/", "http://:p@h/"])
def test_what_is_no_address_to_call_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"must|[Pp]ort"):
        check_url(url)
