"""Replays a project in a process of its own: Ray needs the cluster's environment when it is imported."""

import asyncio
import json
import sys

import ray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from heliograph import telemetry
from heliograph.domain.errors import HeliographError
from heliograph.domain.replays import ReplayReport
from heliograph.settings import Settings
from operations.moments import moment_of
from operations.projects import project_id_of
from pipelines import replay
from pipelines.replay import ReplayProgress, Selection

_DOLLAR = 10**12


async def selection_of(settings: Settings, request: dict[str, str]) -> Selection:
    """The selection that the command's words mean; raises ProjectNotFound."""
    return Selection(
        await project_id_of(settings, request["project"]),
        moment_of(request["from"]),
        moment_of(request["to"]),
        is_trial=bool(request["trial"]),
    )


def run(settings: Settings, request: dict[str, str], console: Console) -> ReplayReport:
    """Replay what the command asks for, with progress on the console; errors are those of `pipelines.replay.run`."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("archiving what is flushed", total=None)

        def tell(progress: ReplayProgress) -> None:
            records = progress.report.counts.get("records", 0)
            bar.update(task, description=f"{records:,} records, parts", completed=progress.done, total=progress.parts)

        async def replayed() -> ReplayReport:
            return await replay.run(settings, await selection_of(settings, request), tell)

        return asyncio.run(replayed())


def shown(report: ReplayReport, *, is_trial: bool) -> Table:
    """The report as a table."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    for name, count in report.counts.items():
        table.add_row(name, f"{count:,}")
    for title, counts in (("changed", report.columns), ("failed:", report.unreadable)):
        for name, count in sorted(counts.items()):
            table.add_row(f"{title} {name}", f"{count:,}")
    table.add_row("cost before", f"${report.cost_before / _DOLLAR:,.6f}")
    table.add_row("cost after", f"${report.cost_after / _DOLLAR:,.6f}")
    if is_trial:
        table.add_row("nothing was stored", "")
    return table


def main() -> None:
    """Answer one request, given as JSON."""
    settings = Settings()
    telemetry.configure_logs("WARNING")
    request = json.loads(sys.argv[1])
    console = Console(highlight=False)
    ray.init(address=settings.ray_address, log_to_driver=False)
    try:
        console.print(shown(run(settings, request, console), is_trial=bool(request["trial"])))
    except HeliographError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
