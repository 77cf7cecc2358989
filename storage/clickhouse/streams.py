"""Results as bytes of an Arrow stream, handed on as they come: none is ever held whole."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError

from heliograph.domain.errors import StreamBroken, TooManyStreams
from storage.clickhouse.connection import ClickHouse, cleaned

# Beside them, lists and dashboards of the same replica are still answered.
MAX_STREAMS = 8
_WAIT_SECONDS = 20
_RETRY_AFTER_SECONDS = 5.0
_PORTION_BYTES = 1 << 18
_STREAM_SECONDS = 900
# What an Arrow stream ends with: a server that fails half-way puts its error there instead.
END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"

SETTINGS: Mapping[str, Any] = {
    "wait_end_of_query": 0,
    "readonly": 1,
    "max_execution_time": _STREAM_SECONDS,
    "cancel_http_readonly_queries_on_client_close": 1,
    "output_format_arrow_compression_method": "lz4_frame",
    # A filter on a column means the stored one, whatever the answer calls by its name.
    "prefer_column_name_to_alias": 1,
}


class ArrowStreams:
    """Runs queries whose results are streamed, so many at a time."""

    def __init__(self, clickhouse: ClickHouse, max_streams: int = MAX_STREAMS) -> None:
        self._clickhouse = clickhouse
        self._places = asyncio.Semaphore(max_streams)

    async def open(
        self, sql: str, parameters: Mapping[str, Any], settings: Mapping[str, Any] = SETTINGS
    ) -> AsyncIterator[bytes]:
        """The result of one SELECT, once it has begun. Close the iterator, and the server gives up.

        Raises:
            TooManyStreams: nobody else has ended in time.
            Unavailable, QueryTooExpensive: see `ClickHouse.read`.
            StreamBroken: from the iterator; the result did not reach its end.
        """
        async with AsyncExitStack() as opening:
            await self._take_place()
            opening.callback(self._places.release)
            chunks = await opening.enter_async_context(self._clickhouse.stream(sql, parameters, settings))
            first = await _first(chunks)
            return _portions(first, chunks, opening.pop_all())

    async def _take_place(self) -> None:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise TooManyStreams(_RETRY_AFTER_SECONDS) from None


async def _first(chunks: AsyncIterator[bytes]) -> bytes:
    try:
        return await anext(chunks)
    except StopAsyncIteration:
        reason = "ClickHouse answered nothing"
        raise StreamBroken(reason) from None
    except (ClickHouseError, OSError, TimeoutError) as error:
        raise cleaned(error) from error


async def _portions(first: bytes, chunks: AsyncIterator[bytes], opened: AsyncExitStack) -> AsyncIterator[bytes]:
    async with opened:
        gathered, tail = bytearray(first), b""
        try:
            async for chunk in chunks:
                gathered += chunk
                if len(gathered) >= _PORTION_BYTES:
                    tail = bytes(gathered[-len(END_OF_STREAM) :])
                    yield bytes(gathered)
                    gathered.clear()
        except (ClickHouseError, OSError, TimeoutError) as error:
            raise StreamBroken(type(error).__name__) from error
        if not (tail + gathered).endswith(END_OF_STREAM):
            reason = "ClickHouse gave up half-way"
            raise StreamBroken(reason)
        if gathered:
            yield bytes(gathered)
