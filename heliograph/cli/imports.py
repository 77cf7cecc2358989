"""`heliograph import`: what other platforms hold, into the project of the environment's keys."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from heliograph.imports.report import ImportReport

if TYPE_CHECKING:
    from heliograph.imports.target import ImportTarget

app = typer.Typer(help="Import what other platforms hold; ids and times stay.", no_args_is_help=True)
_SHOWN = 50

_DryRun = Annotated[bool, typer.Option("--dry-run", help="Read everything, store nothing.")]
_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]


@app.callback()
def _root() -> None:
    """Keeps the sources subcommands."""


@app.command()
def langfuse(
    *,
    url: Annotated[str, typer.Option(help="Of the Langfuse server.")],
    public_key: Annotated[str, typer.Option(envvar="IMPORT_PUBLIC_KEY", help="Of the project there.")],
    secret_key: Annotated[str, typer.Option(envvar="IMPORT_SECRET_KEY", help="Of the project there.")],
    reprice: Annotated[bool, typer.Option("--reprice", help="Cost what the prices here say, not what it did.")] = False,
    state: Annotated[Path, typer.Option(help="Where it is kept how far it has come.")] = Path("import-state.json"),
    dry_run: _DryRun = False,
) -> None:
    """Import traces, observations, scores, sessions, prompts, datasets with items and runs, and score configs.

    Cut short, it goes on where it ended when it is given again.
    """
    from heliograph.client.connection import Connection, Server  # noqa: PLC0415 - the other commands do without
    from heliograph.imports.checkpoint import Checkpoint  # noqa: PLC0415
    from heliograph.imports.langfuse import LangfuseImport  # noqa: PLC0415

    source = Connection(Server(url, public_key, secret_key))
    with _importing(is_trial=dry_run) as (target, report):
        checkpoint = Checkpoint(None if dry_run else state, f"{url} {public_key}")
        LangfuseImport(source, target, report, checkpoint=checkpoint, keeps_costs=not reprice).run()


@app.command()
def phoenix(file: _File, *, dry_run: _DryRun = False) -> None:
    """Import spans that Phoenix exported: a data frame in .parquet, or JSON by line."""
    from heliograph.imports.phoenix import import_spans  # noqa: PLC0415 - as above

    _import_file(import_spans, file, is_trial=dry_run)


@app.command()
def mlflow(file: _File, *, dry_run: _DryRun = False) -> None:
    """Import traces that MLflow exported as JSON."""
    from heliograph.imports.mlflow import import_traces  # noqa: PLC0415 - as above

    _import_file(import_traces, file, is_trial=dry_run)


def _import_file(
    importing: Callable[[Path, "ImportTarget", ImportReport], None], file: Path, *, is_trial: bool
) -> None:
    with _importing(is_trial=is_trial) as (target, report):
        importing(file, target, report)


@contextmanager
def _importing(*, is_trial: bool) -> Iterator[tuple["ImportTarget", ImportReport]]:
    """A target with progress; shows the report at the end, also when it was cut short."""
    from heliograph.client.connecting import server  # noqa: PLC0415 - as above
    from heliograph.client.connection import Connection  # noqa: PLC0415
    from heliograph.imports.target import ImportTarget  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,.0f}"))
    report = ImportReport()
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=None)
        report.on_progress = lambda kind, count: progress.update(task, description=kind, completed=count)
        try:
            yield ImportTarget(Connection(server()), report, is_trial=is_trial), report
        finally:
            progress.stop()
            _show(report, console, is_trial=is_trial)


def _show(report: ImportReport, console: Console, *, is_trial: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("", "read", "would be taken" if is_trial else "taken"):
        table.add_column(title, justify="right" if title else "left")
    for kind in dict.fromkeys((*report.read, *report.taken)):
        table.add_row(kind, f"{report.read[kind]:,}", f"{report.taken[kind]:,}")
    console.print(table)
    for one in report.refused[:_SHOWN]:
        console.print(f"{one.kind} {escape(one.id)}: {escape(one.reason)}")
    if len(report.refused) > _SHOWN:
        console.print(f"… and {len(report.refused) - _SHOWN:,} more")
