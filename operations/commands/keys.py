"""`heliograph keys`: the API keys of a project."""

import re
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from heliograph.domain.access import ListedKey
from heliograph.settings import Settings

app = typer.Typer(help="API keys: of a project, with an end or without.", no_args_is_help=True)

Project = Annotated[str, typer.Argument(help="The project's name.")]
PublicKey = Annotated[str, typer.Argument(help="The key's public half.")]
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment_after(duration: str) -> datetime:
    """The moment after 30m, 12h or 90d from now."""
    found = re.fullmatch(r"(\d{1,6})([mhd])", duration.strip())
    if found is None:
        reason = f"{duration!r} is not a duration like 30m, 12h or 90d"
        raise typer.BadParameter(reason)
    return datetime.now(UTC) + timedelta(**{_UNITS[found[2]]: int(found[1])})


@app.command()
def create(
    project: Project,
    *,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires_in: Annotated[str, typer.Option(help="Let it end after 30m, 12h or 90d.")] = "",
    env: Annotated[bool, typer.Option("--env", help="Print only lines for a shell or an .env file.")] = False,
) -> None:
    """Create a key pair; its secret is shown this once."""
    expires_at = moment_after(expires_in) if expires_in else None
    connection = _keys().create(Settings(), project, note=note, expires_at=expires_at)
    if env:
        typer.echo("\n".join(connection.lines))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Public key  {connection.public_key}")
    console.print(f"Secret key  {connection.secret_key}   (shown this once)")
    console.print(f"Ends        {_shown(expires_at) or 'never'}")


@app.command("list")
def show(project: Project) -> None:
    """Show the keys of a project, those that have ended too; last used is exact to two minutes."""
    table = Table(box=None, pad_edge=False)
    # Whole, whatever the width: it is there to be copied.
    table.add_column("public key", no_wrap=True, overflow="fold")
    for title in ("secret", "state", "created", "ends", "last used", "note"):
        table.add_column(title, overflow="fold")
    for key in _keys().of_project(Settings(), project):
        moments = (_shown(key.created_at), _shown(key.expires_at), _shown(key.last_used_at))
        table.add_row(key.public_key, key.secret_display, state_of(key), *moments, key.note)
    console = Console(highlight=False)
    console.print(table, width=max(console.width, 120), soft_wrap=True)


@app.command()
def revoke(public_key: PublicKey) -> None:
    """End a key now and for ever; every replica refuses it within 6 seconds."""
    _keys().revoke(Settings(), public_key)
    Console(highlight=False).print(f"{public_key} is revoked.")


@app.command()
def rotate(
    public_key: PublicKey,
    *,
    overlap: Annotated[str, typer.Option(help="For how long the old one still works: 30m, 12h, 90d.")] = "24h",
) -> None:
    """Create the successor of a key; its secret is shown this once, and the old key ends after the overlap."""
    ends_at = moment_after(overlap)
    connection = _keys().rotate(Settings(), public_key, ends_at - datetime.now(UTC))
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Public key  {connection.public_key}")
    console.print(f"Secret key  {connection.secret_key}   (shown this once)")
    console.print(f"{public_key} ends {_shown(ends_at)} at the latest.")


@app.command()
def expire(
    public_key: PublicKey,
    *,
    after: Annotated[str, typer.Option("--in", help="Let it end after 30m, 12h or 90d.")] = "",
    never: Annotated[bool, typer.Option("--never", help="Let it have no end.")] = False,
) -> None:
    """Change when a key ends."""
    if bool(after) == never:
        reason = "give either --in or --never"
        raise typer.BadParameter(reason)
    expires_at = moment_after(after) if after else None
    _keys().expire(Settings(), public_key, expires_at)
    Console(highlight=False).print(f"{public_key} ends {_shown(expires_at) or 'never'}.")


def state_of(key: ListedKey) -> str:
    """One word for what a key is good for."""
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= datetime.now(UTC) else "valid"


def _shown(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z" if moment else ""


def _keys() -> ModuleType:
    # SQLAlchemy, a second of imports: the other commands do without.
    from operations import keys  # noqa: PLC0415

    return keys
