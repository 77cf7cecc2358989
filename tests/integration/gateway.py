"""A proxy before an engine that loses, delays and refuses what a network would."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from heliograph.settings import LOOPBACK

_CHUNK = 1 << 16
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LOG_PUT = b"/wal/"
_GONE = (OSError, asyncio.IncompleteReadError)

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Gateway:
    """Passes everything on, but for the PUTs to the log that it was told about, and while it is shut."""

    upstream_port: int
    port: int = 0
    is_shut: bool = False
    fates: deque[Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]] = field(default_factory=deque)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _late: set[asyncio.Task[None]] = field(default_factory=set)
    _handled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where the engine seems to be."""
        return f"http://{LOOPBACK}:{self.port}"

    def swallow_answer(self) -> None:
        """The next PUT to the log succeeds, and its client hears nothing of it."""
        self.fates.append(self._swallowed)

    def delay(self, seconds: float) -> None:
        """The next PUT to the log reaches the store so much later, whatever its client does meanwhile."""

        async def delayed(request: bytes, client: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._arrive_late(request, client, seconds))
            self._late.add(task)
            await asyncio.shield(task)

        self.fates.append(delayed)

    async def met(self, count: int = 1) -> None:
        """Return when so many of the PUTs that it was told about have come."""
        for _ in range(count):
            await self._handled.wait()
            self._handled.clear()

    async def arrived(self) -> None:
        """Return when every delayed PUT has reached the store."""
        await asyncio.gather(*self._late, return_exceptions=True)

    def shut(self) -> None:
        """Cut every connection and refuse others."""
        self.is_shut = True
        for writer in self._open:
            writer.transport.abort()

    def reopen(self) -> None:
        """Pass on again."""
        self.is_shut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        if self.is_shut:
            writer.transport.abort()
            return
        self._open.add(writer)
        with suppress(*_GONE):
            upstream = await asyncio.open_connection(LOOPBACK, self.upstream_port)
            answers = asyncio.create_task(_copy(upstream[0], writer))
            try:
                await self._pass_on((reader, writer), upstream[1])
            finally:
                answers.cancel()
                upstream[1].close()
        self._open.discard(writer)
        writer.close()

    async def _pass_on(self, client: _Streams, upstream: asyncio.StreamWriter) -> None:
        reader, writer = client
        while chunk := await reader.read(_CHUNK):
            # A client sends its next request when the last was answered, so a request begins where a chunk begins.
            if self.fates and chunk.startswith(b"PUT ") and _LOG_PUT in chunk.split(b"\r\n", 1)[0]:
                fate = self.fates.popleft()
                request = await _whole(chunk, reader, writer)
                self._handled.set()
                await fate(request, writer)
                return
            upstream.write(chunk)
            await upstream.drain()

    async def _swallowed(self, request: bytes, _: asyncio.StreamWriter) -> None:
        await self._ask(request)
        await asyncio.sleep(3600)  # The client gives up, or the test ends.

    async def _arrive_late(self, request: bytes, client: asyncio.StreamWriter, seconds: float) -> None:
        await asyncio.sleep(seconds)
        answer = await self._ask(request)
        with suppress(*_GONE):
            client.write(answer)
            await client.drain()

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.upstream_port)
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        while answer == _CONTINUE:
            answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return answer


@asynccontextmanager
async def gateway(upstream_port: int) -> AsyncIterator[Gateway]:
    """A gateway before the engine at this port, on a port of its own."""
    passing = Gateway(upstream_port)
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        with suppress(asyncio.CancelledError):
            await passing.serve(reader, writer)

    server = await asyncio.start_server(accept, LOOPBACK, 0)
    passing.port = server.sockets[0].getsockname()[1]
    try:
        yield passing
    finally:
        await passing.arrived()
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(*_GONE):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        writer.close()


async def _whole(start: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The request that begins with these bytes; a client that waits for leave to send its body gets it."""
    request = start
    while b"\r\n\r\n" not in request:
        request += await reader.read(_CHUNK)
    head, body = request.split(b"\r\n\r\n", 1)
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    if fields.get(b"expect", b"").strip() == b"100-continue" and not body:
        writer.write(_CONTINUE)
    missing = int(fields.get(b"content-length", b"0")) - len(body)
    return request + (await reader.readexactly(missing) if missing > 0 else b"")
