"""`heliograph query`, `sql` and `export`: rows of a project on the terminal and in files."""

import operator
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.exports import ExportFormat
from heliograph.domain.selections import SelectedTable

if TYPE_CHECKING:
    import pyarrow as pa

    from heliograph.client.columns import Where
    from heliograph.client.selections import Selection

_CONDITION = re.compile(
    r"\s*(?P<column>\w+)(?:\[(?P<key>[^\]]+)\])?\s*(?P<operator>>=|<=|!=|=|>|<|~)\s*(?P<value>.*?)\s*"
)
_OPERATORS: dict[str, Callable[[Any, Any], "Where"]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "~": lambda column, value: column.contains(value),
}
_MAX_TEXT = 60

SinceOption = Annotated[str, typer.Option(help="From here on: 30d, 12h, or an ISO time.")]
UntilOption = Annotated[str, typer.Option(help="Before here.")]
WhereOption = Annotated[
    list[str] | None,
    typer.Option("--where", help="As `cost > 0.01` or `metadata[customer] = acme`; ~ is contains; repeatable."),
]
_Select = Annotated[str, typer.Option(help="Columns, by commas.")]


def query(
    table: Annotated[SelectedTable, typer.Argument(help="What to read.")],
    *,
    since: SinceOption = "7d",
    until: UntilOption = "",
    where: WhereOption = None,
    select: _Select = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many of the newest.")] = 20,
) -> None:
    """Show the newest rows that meet every condition, and how many there are."""
    selection = selected(table, since, until, where=where, select=select)
    _show(selection.head(limit), f"{selection.count():,} {table}")


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT; - reads it from standard input.")],
    *,
    to: Annotated[Path | None, typer.Option(dir_okay=False, help="A .parquet, .csv or .jsonl file.")] = None,
) -> None:
    """Run one SELECT over the project's rows, and show the result or write it to a file."""
    from heliograph.client.connecting import connect  # noqa: PLC0415 - the other commands do without

    with connect() as project:
        found = project.sql(sys.stdin.read() if query == "-" else query).to_arrow()
    if to is None:
        _show(found, f"{found.num_rows:,} rows")
    else:
        _format(to)
        _write(iter(found.to_batches()), found.schema, to)


def export(
    table: Annotated[SelectedTable, typer.Argument(help="What to read.")],
    to: Annotated[str, typer.Argument(help="A .parquet, .csv or .jsonl file; ending with / a folder of them, by day.")],
    *,
    since: SinceOption = "",
    until: UntilOption = "",
    where: WhereOption = None,
    select: _Select = "",
) -> None:
    """Write the rows that meet every condition to a file, as they are read; or to files by day in a folder.

    `week/` is a folder of Parquet files, `week.csv/` one of CSV. The server writes them, then they are fetched: given
    again, the command goes on where it was cut short.
    """
    path = Path(to)
    selection = selected(table, since, until, where=where, select=select)
    if to.endswith("/") or path.is_dir():
        rows = _exported(selection, path, _format(path) if path.suffix else ExportFormat.PARQUET)
    else:
        _format(path)
        rows = _write(_progressing(selection), selection.limit(0).to_arrow().schema, path)
    Console(stderr=True, highlight=False).print(f"{rows:,} {table} written to {escape(to)}.")


def _exported(selection: "Selection", folder: Path, format_: ExportFormat) -> int:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        written, fetched = (
            progress.add_task("parts written", total=None),
            progress.add_task("files fetched", total=None),
        )

        def tell(task: TaskID) -> Callable[[int, int], None]:
            return lambda done, total: progress.update(task, completed=done, total=total or None)

        export = selection.export(format_.value)
        export.wait(tell(written))
        return export.download(folder, tell(fetched)).rows


def _format(to: Path) -> ExportFormat:
    """What the ending of a name says; raises InvalidRequest."""
    endings = {f".{known}": known for known in ExportFormat}
    if to.suffix not in endings:
        raise InvalidRequest("to", f"has to end with one of {', '.join(endings)}")
    return endings[to.suffix]


def condition(text: str) -> "Where":
    """A condition as people type it; raises InvalidRequest."""
    from heliograph.client.columns import Column  # noqa: PLC0415 - as above

    found = _CONDITION.fullmatch(text)
    if found is None:
        raise InvalidRequest("where", f"{text!r} is no condition: write a column, one of = != > >= < <= ~, and a value")
    column = Column(found["column"])
    value = found["value"] if found["operator"] == "~" else _value(found["value"])
    if found["key"]:
        column = column[found["key"]]
    return _OPERATORS[found["operator"]](column, value)


def _value(text: str) -> object:
    """A number or a truth value where it looks like one; quotes make it a text."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text in {"true", "false"}:
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


def selected(table: SelectedTable, since: str, until: str, *, where: list[str] | None, select: str) -> "Selection":
    """The rows that these options mean; raises InvalidRequest."""
    from heliograph.client.asked import Asked  # noqa: PLC0415 - as above
    from heliograph.client.connecting import server  # noqa: PLC0415
    from heliograph.client.connection import Connection  # noqa: PLC0415
    from heliograph.client.selections import Selection  # noqa: PLC0415

    names = [name.strip() for name in select.split(",") if name.strip()] or None
    asked = Asked.of(table, since=since or None, until=until or None, where=None, select=names)
    for text in where or ():
        asked = asked.where(condition(text))
    return Selection(Connection(server()), asked)


def _show(rows: "pa.Table", title: str) -> None:
    table = Table(title=escape(title))
    for name in rows.column_names:
        table.add_column(escape(name), overflow="ellipsis", no_wrap=True)
    for row in rows.to_pylist():
        table.add_row(*(escape(str("" if value is None else value)[:_MAX_TEXT]) for value in row.values()))
    Console(highlight=False).print(table)


def _progressing(selection: "Selection") -> Iterator["pa.RecordBatch"]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("rows", total=selection.count())
        for batch in selection.batches():
            yield batch
            progress.advance(task, batch.num_rows)


def _write(batches: Iterator["pa.RecordBatch"], schema: "pa.Schema", to: Path) -> int:
    """Beside the file first: what has its name is whole."""
    from heliograph.row_files import WRITERS  # noqa: PLC0415 - as above

    part = to.with_name(f".{to.name}.part")
    try:
        rows = WRITERS[to.suffix](batches, schema, part)
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return rows
