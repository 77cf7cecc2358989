"""`heliograph doctor`: looks for what is wrong and says what to do about it."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from heliograph.settings import Settings

if TYPE_CHECKING:
    from operations.checks import Finding
    from operations.log_checks import LogFinding


def doctor(
    *,
    log: Annotated[bool, typer.Option("--log", help="Verify the raw log and the archive instead.")] = False,
    lane: Annotated[int | None, typer.Option("--lane", min=0, help="Only the log of this lane.")] = None,
) -> None:
    """Check versions, disk, clock, data directory, ports, engines and listeners; exits with 1 if something is wrong."""
    console = Console(highlight=False)
    is_fine = _log_is_fine(console, lane) if log or lane is not None else _stack_is_fine(console)
    if not is_fine:
        raise typer.Exit(1)


def _stack_is_fine(console: Console) -> bool:
    # Half of the platform, two seconds of imports: the other commands do without.
    from operations import checks  # noqa: PLC0415

    findings = list(checks.findings(Settings()))
    for finding in findings:
        console.print(_line(finding), soft_wrap=True)
    return all(finding.is_fine for finding in findings)


def _log_is_fine(console: Console, lane: int | None) -> bool:
    from operations import log_checks  # noqa: PLC0415  # as above

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("log", total=None)

        def tell(number: int, done: int, total: int) -> None:
            bar.update(task, description=f"objects of lane {number}", completed=done, total=total)

        findings = log_checks.findings(Settings(), lane, tell)
    console.print(_log_table(findings))
    return not any(finding.advice for finding in findings)


def _log_table(findings: "list[LogFinding]") -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("lane", justify="right")
    for title in ("", "check", "found", "what to do"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        mark = Text("wrong", style="bold red") if finding.advice else Text("ok", style="green")
        table.add_row(str(finding.lane), mark, finding.check, finding.fact, Text(finding.advice, style="yellow"))
    return table


def _line(finding: "Finding") -> Text:
    mark = Text("ok    ", style="green") if finding.is_fine else Text("wrong ", style="bold red")
    line = Text.assemble(mark, (f"{finding.subject:<16}", "bold"), finding.fact)
    if finding.advice:
        line.append(f"\n      {'':<16}{finding.advice}", style="yellow")
    return line
