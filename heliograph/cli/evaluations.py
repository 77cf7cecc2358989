"""`heliograph evaluate`: evaluators of the catalogue over a selection, with an estimate before and progress after."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from heliograph.cli.data import SinceOption, WhereOption, selected
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_runs import COUNTED
from heliograph.domain.selections import SelectedTable

if TYPE_CHECKING:
    from heliograph.client.evaluations import Run
    from heliograph.domain.evaluation_runs import RunProgress


def evaluate(
    table: Annotated[SelectedTable, typer.Argument(help="observations or traces.")],
    evaluators: Annotated[
        list[str], typer.Argument(help="Names of the catalogue; a judge as relevance@provider/model.")
    ],
    *,
    since: SinceOption = "7d",
    where: WhereOption = None,
    budget: Annotated[float | None, typer.Option(min=0, help="What judges may cost at most, in dollars.")] = None,
    sample: Annotated[float | None, typer.Option(min=0, max=1, help="This share of the rows.")] = None,
) -> None:
    """Evaluate rows, within the budget; `heliograph evaluation RUN` follows and steers what was begun."""
    from heliograph.client.connecting import connect  # noqa: PLC0415 - the other commands do without
    from heliograph.client.evaluations import on_server  # noqa: PLC0415

    console = Console(stderr=True, highlight=False)
    selection = selected(table, since, "", where=where, select="")
    named = [name.partition("@") for name in evaluators]
    asked = [on_server(name, judge=judge) for name, _, judge in named]
    chosen = selection if sample is None else selection.sample(sample)
    with connect() as project:
        run = project.evaluate(chosen, asked, budget_usd=budget)
        estimate = run.estimate()
        console.print(
            f"{estimate.rows:,} rows, {estimate.evaluations:,} evaluations, {estimate.judge_calls:,} calls of judges: "
            f"${estimate.usd_low:,.2f} to ${estimate.usd_high:,.2f}, about {estimate.minutes:,.1f} min; {run.id}"
        )
        _follow(run, console)


def evaluation(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run.")],
    *,
    turn: Annotated[str, typer.Option(help="pause, resume, cancel or retry: do this first.")] = "",
    budget: Annotated[float | None, typer.Option(min=0, help="With resume: the new budget in dollars.")] = None,
) -> None:
    """Follow a run, after steering it."""
    from heliograph.client.connecting import connect  # noqa: PLC0415 - as above

    with connect() as project:
        run = project.run(run_id)
        match turn:
            case "":
                pass
            case "pause":
                run.pause()
            case "resume":
                run.resume(budget_usd=budget)
            case "cancel":
                run.cancel()
            case "retry":
                run.retry_failed()
            case _:
                raise InvalidRequest("turn", "must be one of pause, resume, cancel, retry")
        _follow(run, Console(stderr=True, highlight=False))


def _follow(run: "Run", console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def tell(progress: "RunProgress") -> None:
            told = f"{progress.report.rows:,} rows, ${progress.spent_usd:,.4f}, parts"
            bar.update(task, description=told, completed=progress.parts_done, total=progress.parts)

        progress = run.wait(tell)
    console.print(_counts(progress))
    blocked = run.blocked_by
    console.print(f"{run.state}{': ' + blocked if blocked else ''}, ${progress.spent_usd:,.6f} spent", markup=False)


def _counts(progress: "RunProgress") -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("score")
    for what in COUNTED:
        table.add_column(what, justify="right")
    for name, counted in progress.report.counts.items():
        table.add_row(name, *(f"{counted.get(what, 0):,}" for what in COUNTED))
    return table
