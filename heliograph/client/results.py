"""Results as Arrow tables and data frames."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from heliograph.client import arrow, html
from heliograph.client.connection import AsyncConnection, Connection

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

HEAD_ROWS = 10


class Result(ABC):
    """Rows of a server that are read when they are asked for, each time anew."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @abstractmethod
    def _request(self) -> tuple[str, dict[str, Any]]:
        """Path and body of what is asked for."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows batch by batch, as the server reads them: no more than one is held.

        Raises:
            StreamBroken: the connection was cut; what came before is real, but not all.
            InvalidRequest, QueryTooExpensive, Unavailable, KeyUnknown: see `Connection.request`.

        Example:
            >>> for batch in project.observations(since="7d").batches():
            ...     print(batch.num_rows)
        """
        with self._opened() as (_, found):
            yield from found

    def to_arrow(self) -> pa.Table:
        """All rows as an Arrow table; raises what `batches` raises.

        Texts are `string`, times `timestamp[us, tz=UTC]`, tokens `uint64`, costs `double` in US dollars, `latency` and
        `time_to_first_token` `double` in seconds, maps as `metadata` `map<string, string>`, whose values are JSON.
        """
        with self._opened() as (schema, found):
            return pa.Table.from_batches(found, schema)

    def to_pandas(self, **options: Any) -> "pd.DataFrame":
        """All rows as a pandas DataFrame, which has to be installed; `options` are those of `pyarrow.Table.to_pandas`.

        Example:
            >>> project.observations(since="7d").to_pandas().groupby("provided_model_name").total_cost.sum()
        """
        frame: pd.DataFrame = self.to_arrow().to_pandas(**options)
        return frame

    def to_polars(self) -> "pl.DataFrame":
        """All rows as a polars DataFrame, which has to be installed."""
        import polars as pl  # noqa: PLC0415 - an optional dependency

        frame = pl.from_arrow(self.to_arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    @contextmanager
    def _opened(self) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        path, body = self._request()
        with self._connection.stream(path, body) as chunks:
            yield arrow.batches(chunks)


class SqlResult(Result):
    """The rows that a query in SQL answers; see `Project.sql`."""

    def __init__(self, connection: Connection, query: str) -> None:
        super().__init__(connection)
        self.query = query

    def _request(self) -> tuple[str, dict[str, Any]]:
        return "/data/sql", {"query": self.query}

    def _repr_html_(self) -> str:
        with self._opened() as (schema, found):
            table = pa.Table.from_batches(first_rows(found, HEAD_ROWS + 1), schema)
        return html.table(table.slice(0, HEAD_ROWS), caption="sql", has_more=table.num_rows > HEAD_ROWS)


class AsyncResult(ABC):
    """The same for an event loop; data frames are made of `await result.to_arrow()`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @abstractmethod
    def _request(self) -> tuple[str, dict[str, Any]]:
        """Path and body of what is asked for."""

    async def to_arrow(self) -> pa.Table:
        """All rows as an Arrow table; see `Result.to_arrow`."""
        path, body = self._request()
        async with self._connection.stream(path, body) as chunks:
            schema, found = arrow.batches(await arrow.gathered(chunks))
        return pa.Table.from_batches(found, schema)

    async def to_pandas(self, **options: Any) -> "pd.DataFrame":
        """All rows as a pandas DataFrame; see `Result.to_pandas`."""
        frame: pd.DataFrame = (await self.to_arrow()).to_pandas(**options)
        return frame

    async def to_polars(self) -> "pl.DataFrame":
        """All rows as a polars DataFrame; see `Result.to_polars`."""
        import polars as pl  # noqa: PLC0415 - an optional dependency

        frame = pl.from_arrow(await self.to_arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame


class AsyncSqlResult(AsyncResult):
    """The rows that a query in SQL answers."""

    def __init__(self, connection: AsyncConnection, query: str) -> None:
        super().__init__(connection)
        self.query = query

    def _request(self) -> tuple[str, dict[str, Any]]:
        return "/data/sql", {"query": self.query}


def first_rows(found: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The first so many rows."""
    for batch in found:
        yield batch.slice(0, rows)
        rows -= batch.num_rows
        if rows <= 0:
            return
