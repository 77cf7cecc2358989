"""Asks for a recost and follows it until it has ended: the stack carries it out."""

import asyncio

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from heliograph.domain.backfills import BackfillKind, BackfillProgress
from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.errors import BackfillFailed
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.recosts import ModelCosts, RecostReport, RecostRequest, report_of
from heliograph.settings import Settings
from storage.postgres.backfills import Backfills, ProjectBackfills
from storage.postgres.connection import opened

_PAUSE_SECONDS = 0.5


async def recosted(
    settings: Settings, project_id: ProjectId, asked: RecostRequest, *, console: Console, is_trial: bool
) -> RecostReport:
    """Recost, with progress, and the totals before anything is stored, on the console.

    Raises:
        BackfillFailed: the stack has given it up.
        Unavailable: PostgreSQL did not answer; asked again, it is followed on.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with opened(settings.postgres_dsn) as database:
        own, backfills = ProjectBackfills(database, project_id), Backfills(database)
        begun = await own.begin(BackfillKind.RECOST, asked.to_json(), is_trial=is_trial)
        with Progress(*columns, console=console, transient=True) as bar:
            examining = bar.add_task("examining parts", total=None)
            storing = bar.add_task("storing parts", total=None, visible=not is_trial)
            is_told = False
            while True:
                backfill, reports = await own.get(begun.kind, begun.id), await backfills.reports(begun.id)
                progress, report = BackfillProgress.of(backfill, reports), report_of(reports)
                bar.update(examining, completed=progress.examined, total=progress.parts or None)
                bar.update(storing, completed=progress.done, total=progress.parts or None)
                if not is_told and backfill.parts is not None and progress.examined == progress.parts:
                    console.print(shown(report))
                    is_told = True
                if backfill.finished_at is not None:
                    if backfill.error:
                        raise BackfillFailed(backfill.id, backfill.error)
                    return report
                await asyncio.sleep(_PAUSE_SECONDS)


def shown(report: RecostReport) -> Table:
    """Costs before and after by model, those that change first."""
    table = Table(box=None, pad_edge=False)
    table.add_column("model")
    for title in ("calls", "changed", "before", "after"):
        table.add_column(title, justify="right")
    for name, costs in sorted(report.models.items(), key=lambda item: (-item[1].changed, item[0])):
        table.add_row(name, *_figures(costs))
    table.add_row("all", *_figures(report.total))
    return table


def _figures(costs: ModelCosts) -> tuple[str, ...]:
    dollars = (f"${units / UNITS_PER_DOLLAR:,.6f}" for units in (costs.before, costs.after))
    return (f"{costs.rows:,}", f"{costs.changed:,}", *dollars)
