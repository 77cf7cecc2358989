"""Connections to ClickHouse: settings pinned, and the server's errors cleaned once into errors of the domain."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error

from heliograph.domain.errors import HeliographError, QueryTooExpensive, Unavailable
from heliograph.settings import ClickHouseSettings

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 30
RETRY_AFTER_SECONDS = 5.0
_MAX_CONNECTIONS = 32

# Exact mode, and merging across partitions: without them a text index under FINAL returned a superseded row, and one id
# in two partitions counted twice.
EXACT = {
    "use_skip_indexes_if_final": 1,
    "use_skip_indexes_if_final_exact_mode": 1,
    "do_not_merge_across_partitions_select_final": 0,
    # Only conditions on sorting keys move, and every version of a row shares those: payloads of other rows stay unread.
    "optimize_move_to_prewhere_if_final": 1,
}
# An answer is complete or an error: the server buffers it, so that a failure half-way has a status of its own.
_READS = EXACT | {
    "max_execution_time": READ_TIMEOUT_SECONDS,
    "wait_end_of_query": 1,
    "output_format_arrow_string_as_string": 1,
    "output_format_arrow_compression_method": "none",
}

# TOO_MANY_ROWS, TIMEOUT_EXCEEDED, TOO_SLOW, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES, TOO_MANY_ROWS_OR_BYTES
_TOO_EXPENSIVE = {158, 159, 160, 241, 307, 396}
# TOO_MANY_SIMULTANEOUS_QUERIES, NETWORK_ERROR, SOCKET_TIMEOUT, QUERY_WAS_CANCELLED (the server is shutting down)
_AWAY = {202, 209, 210, 394}


async def connect(settings: ClickHouseSettings, url: str) -> AsyncClient:
    """A client for reading.

    Raises:
        Unavailable: nothing answers at the url.
    """
    try:
        client: AsyncClient = await clickhouse_connect.get_async_client(
            **_address(settings, url),
            settings=_READS,
            compress=False,
            send_receive_timeout=READ_TIMEOUT_SECONDS + 5,
            connector_limit=_MAX_CONNECTIONS,
            connector_limit_per_host=_MAX_CONNECTIONS,
            autogenerate_session_id=False,
            tz_mode="aware",
        )
    except (ClickHouseError, OSError, TimeoutError) as error:
        raise cleaned(error) from error
    return client


def connect_blocking(settings: ClickHouseSettings, url: str) -> Client:
    """A client for threads, for writing as well; any number of them may share it.

    Raises:
        Unavailable: nothing answers at the url.
    """
    try:
        client: Client = clickhouse_connect.get_client(
            **_address(settings, url),
            settings=EXACT,
            compress="lz4",
            send_receive_timeout=120,
            # Queries of one session exclude each other.
            autogenerate_session_id=False,
            tz_mode="aware",
        )
    except (ClickHouseError, OSError) as error:
        raise cleaned(error) from error
    return client


class ClickHouse:
    """What the readers ask: connects when first used, so that a door opens while the server is still away."""

    def __init__(self, settings: ClickHouseSettings, url: str) -> None:
        self._settings = settings
        self._url = url
        self._client: AsyncClient | None = None
        self._connecting = asyncio.Lock()

    async def read(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        """Run one SELECT, its `{name:Type}` slots bound by the server.

        Raises:
            Unavailable: the server is away.
            QueryTooExpensive: the query exceeded its memory or time.
        """
        client = self._client or await self._connect()
        try:
            answer = await client.raw_query(sql, parameters=dict(parameters), fmt="ArrowStream")
        except (ClickHouseError, OSError, TimeoutError) as error:
            raise cleaned(error) from error
        return pa.ipc.open_stream(answer).read_all()

    @asynccontextmanager
    async def stream(
        self, sql: str, parameters: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of an Arrow stream as they come; leaving the context drops the query.

        Raises:
            Unavailable, QueryTooExpensive: the query has not begun.
        """
        client = self._client or await self._connect()
        try:
            found = await client.raw_stream(
                sql, parameters=dict(parameters), settings=dict(settings), fmt="ArrowStream"
            )
        except (ClickHouseError, OSError, TimeoutError) as error:
            raise cleaned(error) from error
        async with found as chunks:
            yield chunks

    async def ping(self) -> None:
        """Return when the server answers; raises Unavailable otherwise."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                await self.read("SELECT 1 AS one", {})
        except TimeoutError as error:
            raise cleaned(error) from error

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _connect(self) -> AsyncClient:
        async with self._connecting:
            if self._client is None:
                self._client = await connect(self._settings, self._url)
            return self._client


def cleaned(error: Exception) -> HeliographError | Exception:
    """The domain's error for one of the server; an error of our own SQL stays what it is."""
    code = error.code if isinstance(error, Error) else None
    if code in _TOO_EXPENSIVE:
        return QueryTooExpensive()
    if code is None or code in _AWAY:
        return Unavailable("ClickHouse", RETRY_AFTER_SECONDS)
    return error


def _address(settings: ClickHouseSettings, url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port or (8443 if parts.scheme == "https" else 8123),
        "interface": parts.scheme,
        "username": parts.username or settings.user,
        "password": parts.password or settings.password,
        "database": settings.database,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "client_name": "heliograph",
    }
