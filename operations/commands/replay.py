"""`heliograph replay`: the raw log of a project through today's mapping again."""

import json
import os
from datetime import datetime
from typing import Annotated

import typer

from heliograph.settings import Settings
from operations import processes


def replay(
    *,
    project: Annotated[str, typer.Option("--project", help="The id or the name of the project.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Records received from then on, UTC.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Records received before then, UTC.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; the report is the same.")] = False,
) -> None:
    """Map raw records again with today's mapping and prices, beside live traffic; tells what that changed.

    One that was cut short goes on where it ended when it is given again.
    """
    for option, text in (("--from", start), ("--to", end)):
        if text:
            _checked(option, text)
    # Half a second of imports: the other commands do without.
    from operations.ray_cluster import ray_environment  # noqa: PLC0415

    request = {"project": project, "from": start, "to": end, "trial": "yes" if dry_run else ""}
    command = processes.with_environment(
        processes.python("operations.replay", json.dumps(request)), ray_environment(Settings())
    )
    # This process becomes the other, so that what ends the command ends the replay.
    os.execvp(command[0], command)  # noqa: S606 - a command of ours


def _checked(option: str, text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write it as 2026-11-20 or 2026-11-20T12:00:00", param_hint=option) from None
