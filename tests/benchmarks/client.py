"""The Python client: `python -m tests.benchmarks.client --rows 100000` reads observations with and without payloads.

Every figure is shown beside its ideal: ClickHouse's own Arrow stream of the same columns, read by the same process.
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa

from heliograph.client.connecting import connect as connect_project
from heliograph.client.selections import Selection
from heliograph.domain.selections import SelectedTable
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.exposed import EXPOSED
from storage.clickhouse.streams import SETTINGS
from storage.clickhouse.writer import Writer
from tests.benchmarks import report
from tests.benchmarks.read_rows import PER_TRACE, tables
from tests.benchmarks.stack import Stack, connect, until

_REPETITIONS = 3
_PAYLOADS = ("id", "input", "output", "metadata")


def run(rows: int) -> dict[str, object]:
    """Load, then read each selection and its ideal."""
    stack = loaded(rows, "client")
    figures: dict[str, object] = {"observations": stack.arrived()}
    target = stack.target
    with connect_project(target.url, target.public_key, target.secret_key) as project:
        everything = project.observations()
        cheap = EXPOSED[SelectedTable.OBSERVATIONS].cheap
        for name, columns in (("without payloads", cheap), ("with payloads", _PAYLOADS)):
            selection: Selection = everything.select(columns)
            figures |= _compared(name, selection.to_arrow, partial(_ideal, stack, columns))
        seconds, counted = _best(everything.count)
        figures |= {"count: rows": counted, "count: s": seconds}
        sql = "select model, count() as calls, sum(cost) as cost from observations group by model"
        figures["sql, three figures by model: s"] = _best(project.sql(sql).to_arrow)[0]
    return figures


def loaded(rows: int, name: str) -> Stack:
    """A stack with a project whose rows go into ClickHouse directly."""
    stack = asyncio.run(connect(name))
    settings = stack.settings
    writer = Writer(DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url)))
    for table, part in tables(stack.project_id, rows // PER_TRACE):
        writer.insert(table, part)
    # A gigabyte that was stored at once is merged for a while, on the cores that are measured.
    asyncio.run(until(stack.is_at_rest, max_seconds=600))
    return stack


def _compared(name: str, read: Callable[[], pa.Table], ideal: Callable[[], pa.Table]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for kind, ask in (("client", read), ("ideal", ideal)):
        seconds, table = _best(ask)
        figures[f"{name}, {kind}: rows/s"] = table.num_rows / seconds
        figures[f"{name}, {kind}: MB/s"] = table.nbytes / seconds / 1e6
    return figures


def _best(ask: Callable[[], Any]) -> tuple[float, Any]:
    """The shortest of a few, and its answer."""
    found: list[tuple[float, Any]] = []
    for _ in range(_REPETITIONS):
        started = time.perf_counter()
        answer = ask()
        found.append((time.perf_counter() - started, answer))
    return min(found, key=lambda each: each[0])


def _ideal(stack: Stack, columns: tuple[str, ...]) -> pa.Table:
    chosen = EXPOSED[SelectedTable.OBSERVATIONS].projection(columns)
    sql = f"SELECT {chosen} FROM observations FINAL WHERE project_id = {{project:String}}"  # noqa: S608 - our own names
    settings = {name: value for name, value in SETTINGS.items() if name != "readonly"}
    bound = {"project": stack.project_id}
    with stack.clickhouse.raw_stream(sql, parameters=bound, settings=settings, fmt="ArrowStream") as stream:
        return pa.ipc.open_stream(stream).read_all()


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    report.show("client", run(parser.parse_args().rows))


if __name__ == "__main__":
    main()
