"""`heliograph datasets`: items from files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from heliograph.dataset_rows import BadRow

app = typer.Typer(help="Datasets: items from files.", no_args_is_help=True)

_Columns = list[str]


@app.callback()
def _root() -> None:
    """Keeps `import` a subcommand."""


@app.command("import")
def import_items(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .csv file, or JSON objects by line.")],
    *,
    name: Annotated[str, typer.Option(help="The dataset; it is created unless it is there.")],
    input_columns: Annotated[
        _Columns | None, typer.Option("--input", help="A column of the input; repeatable.")
    ] = None,
    expected: Annotated[
        _Columns | None, typer.Option("--expected-output", help="A column of the expected output; repeatable.")
    ] = None,
    metadata: Annotated[_Columns | None, typer.Option(help="A column of the metadata; repeatable.")] = None,
) -> None:
    """Import items into a dataset, and report every row that is not taken.

    Columns are taken by their names (id, input, expected_output, metadata, status, source_trace_id) unless options
    choose others. The address and the keys are those of LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY,
    or of the stack in the data directory.
    """
    from heliograph import dataset_import, dataset_rows, settings  # noqa: PLC0415 - the other commands do without

    choice = dataset_rows.ColumnChoice(tuple(input_columns or ()), tuple(expected or ()), tuple(metadata or ()))
    console, bad = Console(highlight=False, soft_wrap=True), 0

    def report(row: "BadRow") -> None:
        nonlocal bad
        bad += 1
        console.print(f"row {row.number}: {escape(row.reason)}")

    with dataset_import.client_of(settings.client_settings()) as client:
        count = dataset_import.DatasetImport(client, name, report).run(dataset_rows.file_rows(file, choice))
    console.print(f"{count} items imported into {escape(name)}, {bad} rows refused.")
    if bad:
        raise typer.Exit(1)
