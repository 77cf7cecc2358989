"""`heliograph replay`: the raw log of a project through today's mapping again."""

import json
import os
from typing import Annotated

import typer

from heliograph.settings import Settings
from operations import processes
from operations.moments import check_moments


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
    check_moments(**{"from": start, "to": end})
    # Half a second of imports: the other commands do without.
    from operations.ray_cluster import ray_environment  # noqa: PLC0415

    request = {"project": project, "from": start, "to": end, "trial": "yes" if dry_run else ""}
    command = processes.with_environment(
        processes.python("operations.replay", json.dumps(request)), ray_environment(Settings())
    )
    # This process becomes the other, so that what ends the command ends the replay.
    os.execvp(command[0], command)  # noqa: S606 - a command of ours
