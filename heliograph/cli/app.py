"""The `heliograph` command: the client's commands and whatever joins by the entry-point group `heliograph.commands`."""

import sys
from importlib import metadata

import typer
from rich.console import Console

from heliograph.cli import data, datasets, evaluations, gates, imports
from heliograph.domain.errors import HeliographError

COMMANDS_GROUP = "heliograph.commands"


def build() -> typer.Typer:
    """The command line with every command that is installed."""
    app = typer.Typer(
        name="heliograph",
        help="Tracing, evaluation and analytics for applications built on language models.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_root)
    app.command("query")(data.query)
    app.command("sql")(data.sql)
    app.command("export")(data.export)
    app.command("evaluate")(evaluations.evaluate)
    app.command("evaluation")(evaluations.evaluation)
    app.add_typer(datasets.app, name="datasets")
    app.add_typer(gates.app, name="gate")
    app.add_typer(imports.app, name="import")
    for entry in metadata.entry_points(group=COMMANDS_GROUP):
        try:
            register = entry.load()
        except ModuleNotFoundError as missing:
            # The published wheel names the operator's commands, but only the source tree has them.
            if missing.name and entry.module.split(".")[0] == missing.name.split(".")[0]:
                continue
            raise
        register(app)
    return app


def _root() -> None:
    """Keeps subcommands even when there is only one."""


def main() -> None:
    """Run the command line; an error of the domain is one line that says what to do."""
    console = Console(stderr=True, highlight=False)
    try:
        build()()
    except HeliographError as error:
        console.print(f"[bold red]error[/]  {error}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
