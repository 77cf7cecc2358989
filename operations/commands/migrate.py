"""`heliograph migrate`: the schemas of both stores."""

from types import ModuleType

import typer
from rich.console import Console

from heliograph.settings import Settings

app = typer.Typer(help="The schemas of PostgreSQL and ClickHouse.", no_args_is_help=True)


@app.command()
def plan() -> None:
    """Print what `upgrade` would apply; change nothing."""
    _print(_migrations().plan(Settings()), "Nothing to apply.")


@app.command()
def upgrade() -> None:
    """Apply what is missing."""
    _print(_migrations().upgrade(Settings()), "Nothing to apply.")


@app.command()
def status() -> None:
    """Print every migration, applied or not."""
    for step in _migrations().status(Settings()):
        typer.echo(f"{'applied' if step.is_applied else 'pending':<9}{step.description}")


def _migrations() -> ModuleType:
    # Alembic and both clients, a second and a half of imports: the other commands do without.
    from migrations import plan as migrations  # noqa: PLC0415

    return migrations


def _print(lines: list[str], otherwise: str) -> None:
    console = Console(highlight=False)
    for line in lines or [otherwise]:
        console.print(line)
