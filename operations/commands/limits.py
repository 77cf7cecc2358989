"""`heliograph limits`: what a project may send and ask."""

import re
from dataclasses import replace
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from heliograph.domain.limits import ProjectLimits, RouteGroup, Usage
from heliograph.settings import Settings

app = typer.Typer(help="Rate limits, quotas and sampling of a project.", no_args_is_help=True)

Project = Annotated[str, typer.Argument(help="The project's name or id.")]
Count = Annotated[str, typer.Option(metavar="N|none", help="Events that it may send in the period, in UTC.")]
_GROUPS = ", ".join(RouteGroup)
_NONE = "none"


@app.command()
def show(project: Project) -> None:
    """Show the limits of a project, and how many events it has sent."""
    limits, usage = _limits().of_project(Settings(), project)
    _print(limits, usage)


@app.command("set")
def change(
    project: Project,
    *,
    requests: Annotated[
        list[str], typer.Option(metavar="GROUP=N|none", help=f"Requests a minute to a group of routes: {_GROUPS}.")
    ] = [],  # noqa: B006 - typer reads it
    events_per_day: Count = "",
    events_per_month: Count = "",
    sample_rate: Annotated[float | None, typer.Option(min=0, max=1, help="The share of traces that is kept.")] = None,
) -> None:
    """Change limits of a project; what is not named stays. Every replica follows within 5 seconds."""
    rates = [_rate(text) for text in requests]

    def changed(limits: ProjectLimits) -> ProjectLimits:
        merged = {**limits.requests_per_minute, **dict(rates)}
        return replace(
            limits,
            requests_per_minute={group: limit for group, limit in merged.items() if limit is not None},
            events_per_day=_count(events_per_day, limits.events_per_day),
            events_per_month=_count(events_per_month, limits.events_per_month),
            sample_rate=limits.sample_rate if sample_rate is None else sample_rate,
        )

    _print(_limits().change(Settings(), project, changed), None)


def _rate(text: str) -> tuple[str, int | None]:
    group, _, limit = text.partition("=")
    if group not in set(RouteGroup):
        reason = f"{group!r} is none of {_GROUPS}"
        raise typer.BadParameter(reason)
    return group, _count(limit, None)


def _count(text: str, known: int | None) -> int | None:
    """A positive number; what is known where nothing is said, nothing for none."""
    if not text:
        return known
    if text == _NONE:
        return None
    if not re.fullmatch(r"[1-9]\d{0,17}", text):
        reason = f"{text!r} is neither a positive number nor {_NONE}"
        raise typer.BadParameter(reason)
    return int(text)


def _print(limits: ProjectLimits, usage: Usage | None) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for group in RouteGroup:
        table.add_row(f"requests a minute, {group}", _shown(limits.requests_per_minute.get(group)))
    used = ["", ""] if usage is None else [f"{usage.today} sent", f"{usage.this_month} sent"]
    table.add_row("events a day", _shown(limits.events_per_day), used[0])
    table.add_row("events a month", _shown(limits.events_per_month), used[1])
    table.add_row("share of traces kept", f"{limits.sample_rate:g}")
    Console(highlight=False).print(table)


def _shown(limit: int | None) -> str:
    return "unlimited" if limit is None else str(limit)


def _limits() -> ModuleType:
    # SQLAlchemy, a second of imports: the other commands do without.
    from operations import limits  # noqa: PLC0415

    return limits
