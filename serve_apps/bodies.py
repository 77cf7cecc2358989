"""Request bodies: read and inflated within limits, so that neither a large body nor a bomb fills the memory."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliograph.domain.errors import MalformedPayload, PayloadTooLarge, Unavailable, UnsupportedEncoding
from heliograph.settings import IngestSettings

_INPUT_BYTES = 64 << 10
_PIECE_BYTES = 256 << 10
_STEP_BYTES = 4 << 20
_ROOM_RETRY_AFTER = 1.0
# A client that is still sending when the answer comes sees a broken pipe instead of it, so that much is read away.
_MAX_DISCARDED_BYTES = 512 << 20
_DISCARD_SECONDS = 30.0


class BytesInFlight:
    """Bounds what the requests of one process hold together."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held = 0

    @contextmanager
    def hold(self) -> Iterator["Held"]:
        """A share of the bound, empty at first, given back at the end."""
        held = Held(self)
        try:
            yield held
        finally:
            held.resize(0)

    def change(self, difference: int) -> None:
        """Take more, or give back.

        Raises:
            Unavailable: there is no room for more.
        """
        if difference > 0 and self._held + difference > self._max_bytes:
            raise Unavailable("An ingestion replica with room for this request", _ROOM_RETRY_AFTER)
        self._held += difference


class Held:
    """What one request holds."""

    def __init__(self, in_flight: BytesInFlight) -> None:
        self._in_flight = in_flight
        self._bytes = 0

    def resize(self, size: int) -> None:
        """Hold so many bytes from now on."""
        self._in_flight.change(size - self._bytes)
        self._bytes = size


class Bodies:
    """Reads the bodies of one process's requests.

    Args:
        settings: the limits.
        pool: where large bodies are inflated, so that they do not hold the event loop.
    """

    def __init__(self, settings: IngestSettings, pool: Executor) -> None:
        self._max_bytes = settings.max_body_bytes
        self._inline_bytes = settings.slice_above_bytes
        self._in_flight = BytesInFlight(settings.max_in_flight_bytes)
        self._pool = pool

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The decoded body; it counts as in flight until the context ends.

        Raises:
            PayloadTooLarge: it is larger than the limit, as sent or inflated.
            MalformedPayload: its compressed stream is broken.
            UnsupportedEncoding: it is neither gzip nor deflate nor plain.
            Unavailable: too much is in flight here.
        """
        encoding = _encoding(request)
        with self._in_flight.hold() as held:
            body = await self._received(request, held)
            if encoding:
                body = await self._inflated(body, encoding, held)
                held.resize(len(body))
            yield body

    @contextmanager
    def held(self, body: bytes) -> Iterator[bytes]:
        """A body that another server has read already, counted as in flight; raises Unavailable without room."""
        with self._in_flight.hold() as held:
            held.resize(len(body))
            yield body

    async def _received(self, request: Request, held: Held) -> bytes:
        declared = int(request.headers.get("content-length", "0"))
        if declared > self._max_bytes:
            raise PayloadTooLarge(self._max_bytes)
        held.resize(declared)
        chunks: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._max_bytes:
                raise PayloadTooLarge(self._max_bytes)
            if size > declared:
                held.resize(size)
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _inflated(self, sent: bytes, encoding: str, held: Held) -> bytes:
        loop = asyncio.get_running_loop()
        pieces = _inflate(sent, encoding)
        parts: list[bytes] = []
        size, is_complete = 0, False
        if len(sent) <= self._inline_bytes:
            part, is_complete = _take(pieces, self._inline_bytes)
            parts.append(part)
            size = len(part)
        while not is_complete and size <= self._max_bytes:
            held.resize(len(sent) + size)
            part, is_complete = await loop.run_in_executor(self._pool, _take, pieces, _STEP_BYTES)
            parts.append(part)
            size += len(part)
        if size > self._max_bytes:
            raise PayloadTooLarge(self._max_bytes)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _encoding(request: Request) -> str:
    """The content coding to undo; nothing for a plain body."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return ""
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return encoding
    raise UnsupportedEncoding(encoding)


def _take(pieces: Iterator[bytes], size: int) -> tuple[bytes, bool]:
    """The next pieces, together at least `size` bytes, and whether they were the last."""
    taken: list[bytes] = []
    for piece in pieces:
        taken.append(piece)
        size -= len(piece)
        if size <= 0:
            return b"".join(taken), False
    return b"".join(taken), True


def _inflate(sent: bytes, encoding: str) -> Iterator[bytes]:
    """The inflated body in pieces of bounded size. A gzip stream may have several members, and padding at its end."""
    window = _window(sent, encoding)
    stream = zlib.decompressobj(window)
    try:
        for start in range(0, len(sent), _INPUT_BYTES):
            # Fed by parts, since each call copies what it leaves of its input.
            data = sent[start : start + _INPUT_BYTES]
            while data:
                if stream.eof:
                    stream = zlib.decompressobj(window)
                yield stream.decompress(data, _PIECE_BYTES)
                data = stream.unused_data.lstrip(b"\0") if stream.eof else stream.unconsumed_tail
        yield stream.flush()
    except zlib.error as error:
        raise MalformedPayload(f"it is not valid {encoding}: {error}") from None
    if not stream.eof:
        raise MalformedPayload(f"its {encoding} stream ends early")


def _window(sent: bytes, encoding: str) -> int:
    if encoding != "deflate":
        return zlib.MAX_WBITS | 16
    # RFC 9110 means zlib by deflate, yet some clients send the raw stream: only zlib's header divides by 31.
    has_header = len(sent) > 1 and sent[0] & 15 == zlib.DEFLATED and int.from_bytes(sent[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


class DiscardedRemainders:
    """Reads away what a refused client is still sending, so that it gets to read the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; before the answer to an unread body, discard it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_sending = not _waits_to_be_asked(scope)

        async def receive_noting_end() -> Message:
            nonlocal is_sending
            message = await receive()
            is_sending = bool(message.get("more_body"))
            return message

        async def send_to_listener(message: Message) -> None:
            if is_sending and message["type"] == "http.response.start":
                await _discard(receive_noting_end)
            await send(message)

        await self._app(scope, receive_noting_end, send_to_listener)


def _waits_to_be_asked(scope: Scope) -> bool:
    """Whether the client sends its body only when told to continue."""
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"])


async def _discard(receive: Receive) -> None:
    discarded = 0
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            while discarded <= _MAX_DISCARDED_BYTES:
                message = await receive()
                discarded += len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except TimeoutError:
        # The answer goes out all the same; whether this client reads it is up to its network.
        return
