"""`heliograph delete` and `heliograph deletions`: what is deleted leaves every store, and a report says from where."""

import time
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from heliograph.domain.access import Project
from heliograph.domain.deletions import Deletion, SubjectType
from heliograph.settings import Settings

_STORES = (
    ("ClickHouse", "observations", "observations"),
    ("ClickHouse", "scores", "scores"),
    ("ClickHouse", "traces", "traces"),
    ("Log", "log records", "log_records"),
    ("Archive", "archive files", "archive_files"),
    ("Media", "media files", "media"),
    ("Payloads", "large payloads", "payloads"),
)


def delete(
    kind: Annotated[SubjectType, typer.Argument(help="What to delete.")],
    subject: Annotated[str, typer.Argument(metavar="ID", help="Its id; a project's name does as well.")],
    *,
    project: Annotated[str, typer.Option(help="The project's name or id, where there are several.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the lanes.")] = 300,
) -> None:
    """Delete a trace, a session's or a user's traces, a score, or a project; what is sent afterwards starts anew."""
    settings, deletions = Settings(), _deletions()
    console = Console(highlight=False, soft_wrap=True)
    is_project = kind is SubjectType.PROJECT
    found = deletions.project_of(settings, subject if is_project else project)
    if not yes:
        typer.confirm(_question(kind, subject, found), abort=True)
    if is_project:
        ended = deletions.end_keys(settings, found.id, time.sleep)
        console.print(f"{ended} keys revoked.")
    deletion_id = deletions.ask(settings, found.id, kind, subject=found.id if is_project else subject)
    done = deletions.outcome(settings, deletion_id, wait_seconds=wait)
    if is_project:
        deletions.remove_project(settings, found.id)
    console.print(_report(done))
    console.print("Log and archive follow with the next compaction: within the hour, or by `heliograph compact`.")


def deletions(*, limit: Annotated[int, typer.Option(min=1, help="How many, counted from the newest.")] = 20) -> None:
    """Show the deletions asked for last, how far each has come, and what it removed."""
    table = Table(box=None, pad_edge=False)
    for title in ("asked", "by", "what", "project", "state", "removed", "id"):
        table.add_column(title, overflow="fold")
    for one in _deletions().latest(Settings(), limit):
        asked = f"{one.requested_at:%Y-%m-%d %H:%M:%S}"
        counts = one.removed.to_json()
        removed = ", ".join(f"{counts[name]:,} {label}" for _, label, name in _STORES if counts[name])
        table.add_row(asked, one.requested_by, _what(one), one.project_id, one.state, removed, one.id)
    Console(highlight=False).print(table)


def _question(kind: SubjectType, subject: str, project: Project) -> str:
    match kind:
        case SubjectType.PROJECT:
            return f"Delete project {project.name} ({project.id}): its keys, all of its events, everything it owns?"
        case SubjectType.SESSION | SubjectType.USER:
            return f"Delete all traces of {kind} {subject} in project {project.name}?"
        case _:
            return f"Delete {kind} {subject} in project {project.name}?"


def _what(deletion: Deletion) -> str:
    first, *others = deletion.subjects
    return f"{deletion.subject_type} {first}" + (f" and {len(others)} more" if others else "")


def _report(deletion: Deletion) -> Table:
    table = Table(box=None, pad_edge=False, title=f"Removed: {_what(deletion)}", title_justify="left")
    for title in ("store", "what", "count"):
        table.add_column(title, justify="right" if title == "count" else "left")
    counts = deletion.removed.to_json()
    for store, what, name in _STORES:
        table.add_row(store, what, f"{counts[name]:,}")
    return table


def _deletions() -> ModuleType:
    # SQLAlchemy, a second of imports: the other commands do without.
    from operations import deletions  # noqa: PLC0415

    return deletions
