"""`heliograph compact`: what the maintenance does every hour, now."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from heliograph.settings import Settings

if TYPE_CHECKING:
    from pipelines.compaction import Compacted, CompactionProgress


def compact(
    *,
    free_after: Annotated[
        float | None, typer.Option("--free-after", metavar="DAYS", min=0, help="Free segments that are older.")
    ] = None,
    lane: Annotated[int | None, typer.Option("--lane", min=0, help="Only this lane.")] = None,
) -> None:
    """Archive the log by project and day, free its old segments, merge small archive files of past days."""
    # SQLAlchemy and boto3, more than a second of imports: the other commands do without.
    from operations import compaction  # noqa: PLC0415

    settings = Settings()
    if free_after is not None:
        kept = settings.maintenance.model_copy(update={"free_after_days": free_after})
        settings = settings.model_copy(update={"maintenance": kept})
    console = Console(highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("segments", total=None)

        def tell(progress: "CompactionProgress") -> None:
            description = f"segments of lane {progress.lane}"
            bar.update(task, description=description, completed=progress.segment, total=progress.through)

        done = compaction.run(settings, lane, tell)
    console.print(_table(done))


def _table(done: "list[Compacted]") -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("lane", "segments", "records", "files", "omitted", "damaged", "freed", "MB freed", "files merged"):
        table.add_column(title, justify="right")
    for one in done:
        table.add_row(
            str(one.lane),
            f"{one.archived.segments:,}",
            f"{one.archived.records:,}",
            f"{one.archived.files:,}",
            f"{one.archived.omitted:,}",
            f"{one.archived.damaged:,}",
            f"{one.freed.segments:,}",
            f"{one.freed.nbytes / 1e6:,.1f}",
            f"{one.merged.merged:,}",
        )
    return table
