"""`heliograph retention`: which projects keep what they were sent for a time only, and how far that is enforced."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table

from heliograph.domain.retention import RetentionState
from heliograph.settings import Settings


def retention() -> None:
    """Show the projects with a retention, what was last deleted for it, and when it was last enforced."""
    found = asyncio.run(_states(Settings()))
    if not found:
        typer.echo("Every project keeps what it was sent for ever.")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("project", "days", "checked", "deleted what is older than", "traces", "scores", "media"):
        table.add_column(title, justify="right" if title in {"days", "traces", "scores", "media"} else "left")
    for one in found:
        counts = (f"{count:,}" for count in (one.expired.traces, one.expired.scores, one.expired.media))
        table.add_row(one.project_name, str(one.days), _time(one.checked_at), _time(one.cutoff), *counts)
    Console(highlight=False).print(table)


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "not yet"


async def _states(settings: Settings) -> Sequence[RetentionState]:
    # SQLAlchemy, a second of imports: the other commands do without.
    from storage.postgres.connection import opened  # noqa: PLC0415
    from storage.postgres.retentions import Retentions  # noqa: PLC0415

    async with opened(settings.postgres_dsn) as database:
        return await Retentions(database).states()
