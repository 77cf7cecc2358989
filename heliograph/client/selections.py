"""Selections: rows of a table, described first and read when they are asked for."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from heliograph.client import html
from heliograph.client.asked import Asked
from heliograph.client.backfills import Export
from heliograph.client.columns import Where
from heliograph.client.connection import AsyncConnection, Connection, Server
from heliograph.client.results import HEAD_ROWS, AsyncResult, Result
from heliograph.domain import selections as domain
from heliograph.domain.selections import SelectedTable

if TYPE_CHECKING:
    import ray.data

_PARTITIONS = 16


class Selection(Result):
    """Rows of a table. Nothing is read before one of the `to_…` methods, `batches`, `count` or `head` is called.

    Each method that narrows it returns another selection, so that one may be kept and used again.

    Example:
        >>> dear = project.observations(since="30d").where(col.cost > 0.01)
        >>> dear.count()
        >>> dear.select(["id", "model", "input"]).limit(100).to_pandas()
    """

    def __init__(self, connection: Connection, asked: Asked) -> None:
        super().__init__(connection)
        self.asked = asked

    def where(self, condition: Where) -> "Selection":
        """The rows that meet this condition beside those before."""
        return Selection(self._connection, self.asked.where(condition))

    def select(self, columns: Sequence[str]) -> "Selection":
        """These columns, in this order; payloads (`input`, `output`, `metadata`) are read when they are named alone.

        Raises:
            InvalidRequest: when the rows are read, and there is no such column; it names those that there are.
        """
        return Selection(self._connection, self.asked.select(columns))

    def limit(self, rows: int) -> "Selection":
        """At most so many rows: the newest, newest first. Without a limit rows come in no order."""
        return Selection(self._connection, self.asked.limit(rows))

    def sample(self, share: float) -> "Selection":
        """This share of the rows, from 0 to 1, chosen by a hash of their id: the same ones every time.

        A larger share holds the smaller one, so that what was done for 1% need not be done again for 5%.
        """
        return Selection(self._connection, self.asked.sample(share))

    def count(self) -> int:
        """How many rows there are; raises what `batches` raises."""
        return int(self._connection.request("POST", f"{self.asked.path}/count", self.asked.body())["count"])

    def head(self, rows: int = HEAD_ROWS) -> pa.Table:
        """The newest rows as an Arrow table."""
        return self.limit(rows).to_arrow()

    def partitions(self, at_most: int = _PARTITIONS) -> "list[Selection]":
        """Selections of about the same size that hold every row once, to be read in parallel.

        They divide the time of the rows: observations of one trace may be in two of them. A selection with a limit, or
        of a few thousand rows, is one.
        """
        body = self.asked.body(partitions=at_most)
        found = self._connection.request("POST", f"{self.asked.path}/partitions", body)
        return [Selection(self._connection, self.asked.within(**period)) for period in found["data"]]

    def export(self, format: str = "parquet") -> Export:  # noqa: A002 - what it is called everywhere
        """Have the server write the rows to files by day, as `parquet`, `csv` or `jsonl`.

        Raises:
            InvalidRequest: there is no such column or format.

        Example:
            >>> export = project.observations(since="7d").export()
            >>> export.wait(); export.download(Path("week"))
        """
        body = self.asked.body() | {"table": self.asked.table.value, "format": format}
        return Export.begin(self._connection, body)

    def to_ray(self, *, parallelism: int = _PARTITIONS) -> "ray.data.Dataset":
        """The rows as a Ray dataset, whose tasks read partitions in parallel; Ray has to be installed, here and there.

        Nothing is read before the dataset is used. Tasks need the address and the keys of this connection, and no
        other way to the server.

        Args:
            parallelism: how many partitions to make at most; the server streams eight at a time for each replica.

        Example:
            >>> project.observations(since="90d", select=["id", "output"]).to_ray().map_batches(judge)
        """
        import ray.data  # noqa: PLC0415 - an optional dependency

        parts = [{"part": part.asked.selection.model_dump_json()} for part in self.partitions(parallelism)]
        dataset = ray.data.from_items(parts, override_num_blocks=len(parts))
        read = partial(_read_part, server=self._connection.server, table=self.asked.table)
        return dataset.map_batches(read, batch_size=1, batch_format="pyarrow", zero_copy_batch=True)

    def _request(self) -> tuple[str, dict[str, Any]]:
        return self.asked.path, self.asked.body()

    def _repr_html_(self) -> str:
        rows, total = self.head(), self.count()
        return html.table(rows, caption=f"{total:,} {self.asked.table}", has_more=total > rows.num_rows)


class AsyncSelection(AsyncResult):
    """The same for an event loop.

    Example:
        >>> rows = await project.observations(since="1d").where(col.level == "ERROR").to_arrow()
    """

    def __init__(self, connection: AsyncConnection, asked: Asked) -> None:
        super().__init__(connection)
        self.asked = asked

    def where(self, condition: Where) -> "AsyncSelection":
        """The rows that meet this condition beside those before."""
        return AsyncSelection(self._connection, self.asked.where(condition))

    def select(self, columns: Sequence[str]) -> "AsyncSelection":
        """These columns; see `Selection.select`."""
        return AsyncSelection(self._connection, self.asked.select(columns))

    def limit(self, rows: int) -> "AsyncSelection":
        """At most so many rows; see `Selection.limit`."""
        return AsyncSelection(self._connection, self.asked.limit(rows))

    async def count(self) -> int:
        """How many rows there are."""
        found = await self._connection.request("POST", f"{self.asked.path}/count", self.asked.body())
        return int(found["count"])

    async def head(self, rows: int = HEAD_ROWS) -> pa.Table:
        """The newest rows as an Arrow table."""
        return await self.limit(rows).to_arrow()

    def _request(self) -> tuple[str, dict[str, Any]]:
        return self.asked.path, self.asked.body()


def _read_part(batch: pa.Table, *, server: Server, table: SelectedTable) -> Iterator[pa.Table]:
    """Runs in a Ray task: the rows of each part, batch by batch."""
    connection = Connection(server)
    try:
        for text in batch["part"].to_pylist():
            part = domain.Selection.model_validate_json(text)
            for found in Selection(connection, Asked(table, part)).batches():
                yield pa.Table.from_batches([found])
    finally:
        connection.close()
