"""`heliograph doctor`: looks for what is wrong and says what to do about it."""

from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from heliograph.settings import Settings

if TYPE_CHECKING:
    from operations.checks import Finding


def doctor() -> None:
    """Check versions, disk, clock, data directory, ports, engines and listeners; exits with 1 if something is wrong."""
    # Half of the platform, two seconds of imports: the other commands do without.
    from operations import checks  # noqa: PLC0415

    console = Console(highlight=False)
    findings = list(checks.findings(Settings()))
    for finding in findings:
        console.print(_line(finding), soft_wrap=True)
    if any(not finding.is_fine for finding in findings):
        raise typer.Exit(1)


def _line(finding: "Finding") -> Text:
    mark = Text("ok    ", style="green") if finding.is_fine else Text("wrong ", style="bold red")
    line = Text.assemble(mark, (f"{finding.subject:<16}", "bold"), finding.fact)
    if finding.advice:
        line.append(f"\n      {'':<16}{finding.advice}", style="yellow")
    return line
