"""`heliograph projects`: projects and their first keys."""

from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from heliograph.settings import Settings

app = typer.Typer(help="Projects and their keys.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The name of the new project.")],
    *,
    env: Annotated[bool, typer.Option("--env", help="Print only lines for a shell or an .env file.")] = False,
) -> None:
    """Create a project with a key pair; its secret is shown this once."""
    connection = _projects().create(Settings(), name)
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
    for project, keys in _projects().of_first_organization(Settings()):
        created = f"{project.created_at:%Y-%m-%d %H:%M}"
        table.add_row(project.name, project.id, project.organization_name, created, ", ".join(keys))
    Console(highlight=False).print(table)


def _projects() -> ModuleType:
    # SQLAlchemy, a second of imports: the other commands do without.
    from operations import projects  # noqa: PLC0415

    return projects
