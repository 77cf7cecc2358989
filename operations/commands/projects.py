"""`heliograph projects`: projects and their first keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from heliograph.domain.access import Project
from heliograph.settings import Settings
from operations.connection import Connection
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.projects import Projects

app = typer.Typer(help="Projects and their keys.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The name of the new project.")],
    *,
    env: Annotated[bool, typer.Option("--env", help="Print only lines for a shell or an .env file.")] = False,
) -> None:
    """Create a project with a key pair; its secret is shown this once."""
    connection = asyncio.run(_create(Settings(), name))
    if env:
        typer.echo("\n".join(connection.lines))
        return
    console = Console(highlight=False)
    console.print(f"Project [bold]{name}[/] at {connection.url}")
    console.print(f"Public key  {connection.public_key}")
    console.print(f"Secret key  {connection.secret_key}   (shown this once)")


@app.command("list")
def show() -> None:
    """Show the projects of the first organization."""
    table = Table(box=None, pad_edge=False)
    for title in ("name", "id", "organization", "created", "public keys"):
        table.add_column(title, overflow="fold")
    for project, keys in asyncio.run(_list(Settings())):
        created = f"{project.created_at:%Y-%m-%d %H:%M}"
        table.add_row(project.name, project.id, project.organization_name, created, ", ".join(keys))
    Console(highlight=False).print(table)


async def _create(settings: Settings, name: str) -> Connection:
    async with _database(settings) as database:
        project = await Projects(database).create(name)
        issued = await ApiKeys(database, settings.pepper).create(project.id, note="first key")
    return Connection(settings.url, issued.public_key, issued.secret_key)


async def _list(settings: Settings) -> list[tuple[Project, list[str]]]:
    async with _database(settings) as database:
        first = await Projects(database).oldest()
        projects = await Projects(database).list_of(first.organization_id) if first else []
        return [(project, await ApiKeys(database, settings.pepper).public_keys_of(project.id)) for project in projects]


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.postgres_dsn)
    try:
        yield database
    finally:
        await database.close()
