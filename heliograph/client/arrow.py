"""Arrow streams from the network: batches as they come, and an error for a stream that was cut."""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import httpx
import pyarrow as pa

from heliograph.domain.errors import StreamBroken

_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_CUT = "the connection was cut"


class ChunkReader:
    """Chunks of bytes as a file, which remembers how they ended."""

    closed = False

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")
        self._tail = b""

    @property
    def has_ended_well(self) -> bool:
        """Whether the last bytes are the end of an Arrow stream."""
        return self._tail.endswith(_END)

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end alone; raises StreamBroken."""
        parts: list[memoryview] = []
        wanted = size
        while wanted and (self._left or self._fill()):
            part = self._left if wanted < 0 else self._left[:wanted]
            self._left = self._left[len(part) :]
            wanted -= len(part) if wanted > 0 else 0
            parts.append(part)
        return bytes(parts[0]) if len(parts) == 1 else b"".join(parts)

    def _fill(self) -> bool:
        try:
            chunk = next(self._chunks, b"")
        except httpx.TransportError as error:
            raise StreamBroken(_CUT) from error
        self._tail = (self._tail + chunk[-len(_END) :])[-len(_END) :]
        self._left = memoryview(chunk)
        return bool(chunk)

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Nothing: the connection is closed by whoever opened it."""


def batches(chunks: Iterable[bytes]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema, and the batches of a stream.

    Raises:
        StreamBroken: from the iterator; the stream did not reach its end.
    """
    source = ChunkReader(chunks)
    try:
        reader = pa.ipc.open_stream(pa.PythonFile(source, mode="r"))
    except (pa.ArrowException, OSError) as error:
        raise StreamBroken(_CUT) from error
    return reader.schema, _read(reader, source)


def _read(reader: Any, source: ChunkReader) -> Iterator[pa.RecordBatch]:
    try:
        yield from reader
    except (pa.ArrowException, OSError) as error:
        raise StreamBroken(_CUT) from error
    # What follows the last batch, for the connection to be used again.
    source.read()
    if not source.has_ended_well:
        raise StreamBroken(_CUT)


async def gathered(chunks: AsyncIterator[bytes]) -> list[bytes]:
    """Every chunk; raises StreamBroken."""
    try:
        return [chunk async for chunk in chunks]
    except httpx.TransportError as error:
        raise StreamBroken(_CUT) from error
