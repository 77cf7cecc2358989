"""`heliograph recost`: stored calls priced anew after a price has changed."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from heliograph.domain.recosts import RecostReport, RecostRequest
from heliograph.settings import Settings
from operations.moments import check_moments, moment_of


def recost(
    *,
    project: Annotated[str, typer.Option("--project", help="The id or the name of the project.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Calls begun from then on, UTC.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Calls begun before then, UTC.")] = "",
    model: Annotated[str, typer.Option("--model", help="Only calls that reported this model.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show old and new totals, change nothing.")] = False,
) -> None:
    """Price stored calls by the model definitions of today; shows old and new totals by model before it stores.

    Costs that were provided stay. The stack carries it out, also when this command ends: given again, it follows on.
    """
    # Half a second of imports: the other commands do without.
    from operations.projects import project_id_of  # noqa: PLC0415
    from operations.recost import recosted  # noqa: PLC0415

    check_moments(**{"from": start, "to": end})
    settings, console = Settings(), Console(highlight=False)
    asked = RecostRequest(moment_of(start), moment_of(end), model)

    async def followed() -> RecostReport:
        project_id = await project_id_of(settings, project)
        return await recosted(settings, project_id, asked, console=console, is_trial=dry_run)

    report = asyncio.run(followed())
    if dry_run:
        console.print("nothing was stored")
    else:
        console.print(f"{report.written:,} observations and {report.traces:,} traces stored, {report.newer:,} newer")
