"""`heliograph masking`: what of a project's events must not be stored."""

from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heliograph.domain.masking import MaskedField, MaskingRule, RuleKind
from heliograph.settings import Settings

if TYPE_CHECKING:
    from ingestion.masking.dry_run import Hidden

app = typer.Typer(help="Masking rules: what of a project's events must not be stored.", no_args_is_help=True)

Project = Annotated[str, typer.Argument(help="The project's name.")]
Kind = Annotated[RuleKind, typer.Argument(help="How the rule finds what it hides.")]
Target = Annotated[
    str,
    typer.Argument(
        help="A regular expression of RE2, of whose groups these alone are hidden; one of the detectors email, phone, "
        "card, iban and secrets; or entities of Presidio with commas."
    ),
]
Field = Annotated[MaskedField, typer.Option(help="Where the rule looks.")]


@app.command("list")
def show(project: Project) -> None:
    """Show the rules of a project, in the order in which they are applied."""
    table = Table(box=None, pad_edge=False)
    for title in ("id", "kind", "field", "target", "replacement", "when it fails"):
        table.add_column(title, overflow="fold")
    for rule in _masking().of_project(Settings(), project):
        failing = ("closed" if rule.is_fail_closed else "open") if rule.kind is RuleKind.CALLBACK else ""
        table.add_row(rule.id, rule.kind, rule.field, escape(rule.target), escape(rule.replacement), failing)
    Console(highlight=False).print(table if table.rows else "No rules.")


@app.command()
def add(
    project: Project,
    kind: Kind,
    target: Target,
    *,
    field: Field = MaskedField.ALL,
    replacement: Annotated[str, typer.Option(help="What stands in the place of what is hidden.")] = "",
) -> None:
    """Add a rule; every replica applies it within seconds. What is stored already stays as it is."""
    _added(project, MaskingRule("", kind, target, field, replacement))


@app.command()
def callback(
    project: Project,
    url: Annotated[str, typer.Argument(help="The service that rewrites every request.")],
    *,
    fail_closed: Annotated[bool, typer.Option("--fail-closed", help="Take nothing while the callback fails.")] = False,
    header: Annotated[list[str] | None, typer.Option(help="A header of requests that the service is given.")] = None,
) -> None:
    """Add a callback: a service of yours sees every request before it is kept, and answers what to keep."""
    headers = tuple(name.strip().lower() for name in header or ())
    _added(project, MaskingRule("", RuleKind.CALLBACK, url, is_fail_closed=fail_closed, headers=headers))


@app.command()
def remove(project: Project, rule_id: Annotated[str, typer.Argument(help="The rule's id.")]) -> None:
    """Remove a rule."""
    _masking().remove(Settings(), project, rule_id)
    Console(highlight=False).print(f"Rule {rule_id} is removed.")


@app.command("test")
def try_rules(
    project: Project,
    text: Annotated[str, typer.Argument(help="A text; without one the newest observations are looked at.")] = "",
    *,
    recent: Annotated[int, typer.Option(help="How many of them.", min=1, max=10_000)] = 100,
    kind: Annotated[
        RuleKind | None, typer.Option(help="Try this kind of rule instead of those of the project.")
    ] = None,
    target: Annotated[str, typer.Option(help="Its target, as for `add`.")] = "",
    field: Field = MaskedField.ALL,
) -> None:
    """Show what a rule would hide, or without one what the project's rules do. Nothing is changed."""
    tried = [MaskingRule("", kind, target, field)] if kind else []
    console = Console(highlight=False)
    if text:
        shown = _masking().try_on_text(Settings(), project, tried, text=text)
        console.print(escape(str(shown.masked)))
        _print(console, shown.hidden)
        return
    count, found = _masking().try_on_stored(Settings(), project, tried, count=recent)
    for one in found:
        console.print(f"[bold]{escape(one.field)}[/] of {escape(one.observation_id)} in {escape(one.trace_id)}")
        _print(console, one.shown.hidden)
    console.print(f"{len(found)} fields of {count} observations hold what would have been hidden.")


def _added(project: str, rule: MaskingRule) -> None:
    Console(highlight=False).print(f"Rule {_masking().add(Settings(), project, rule).id} is added.")


def _print(console: Console, hidden: Iterable["Hidden"]) -> None:
    for one in hidden:
        console.print(f"  {one.rule.kind:<11} {escape(one.rule.target[:40]):<40} {escape(one.text[:200])}")


def _masking() -> ModuleType:
    # SQLAlchemy, a second of imports: the other commands do without.
    from operations import masking  # noqa: PLC0415

    return masking
