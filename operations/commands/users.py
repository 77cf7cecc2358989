"""`heliograph users`, `organizations` and `audit`: who belongs here, and who has changed what."""

import json
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from heliograph.domain.access import Role
from heliograph.settings import Settings

app = typer.Typer(help="Users: passwords and invitations.", no_args_is_help=True)
organizations_app = typer.Typer(help="Organizations and their keys.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The user's e-mail address.")]


@app.command("reset-password")
def reset_password(
    email: Email,
    *,
    is_asked: Annotated[bool, typer.Option("--ask", help="Ask for the new password instead of making one.")] = False,
) -> None:
    """Give a user another password; a generated one is shown this once."""
    asked = typer.prompt("New password", hide_input=True, confirmation_prompt=True) if is_asked else ""
    password = _users().reset_password(Settings(), email, asked)
    typer.echo(f"{email} signs in with {'the new password' if asked else password}")


@app.command()
def invite(
    email: Email,
    organization: Annotated[str, typer.Argument(help="The organization's name or id.")],
    *,
    role: Annotated[Role, typer.Option(help="Their role in it.")] = Role.MEMBER,
) -> None:
    """Invite someone to an organization; the token is shown this once and is good for seven days."""
    invitation, token = _users().invite(Settings(), email, organization, role=role)
    typer.echo(f"{invitation.email} may join as {invitation.role} until {invitation.expires_at:%Y-%m-%d %H:%M}Z")
    typer.echo(f"heliograph users accept {token}")


@app.command()
def accept(
    token: Annotated[str, typer.Argument(help="As the invitation showed it.")],
    *,
    name: Annotated[str, typer.Option(prompt=True, help="How they are called.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
) -> None:
    """Make whoever was invited a member; an existing user keeps name and password."""
    typer.echo(f"{_users().accept(Settings(), token, name=name, password=password)} is a member now")


@organizations_app.command("list")
def show() -> None:
    """Show every organization."""
    table = Table("name", "id", "created", box=None, pad_edge=False)
    for one in _users().organizations(Settings()):
        table.add_row(one.name, one.id, f"{one.created_at:%Y-%m-%d %H:%M}Z")
    Console(highlight=False).print(table)


@organizations_app.command()
def create(name: Annotated[str, typer.Argument(help="The name of the new organization.")]) -> None:
    """Create an organization."""
    typer.echo(_users().create_organization(Settings(), name).id)


@organizations_app.command("create-key")
def create_key(
    organization: Annotated[str, typer.Argument(help="The organization's name or id.")],
    *,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Create a key pair of the organization itself; its secret is shown this once."""
    issued = _users().create_organization_key(Settings(), organization, note)
    typer.echo(f"Public key  {issued.public_key}\nSecret key  {issued.secret_key}   (shown this once)")


def audit(
    *,
    project: Annotated[str, typer.Option(help="Of this project alone, by name or id.")] = "",
    resource: Annotated[str, typer.Option(help="Of one kind alone: apiKey, prompt, project, model and so on.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with before and after.")] = False,
) -> None:
    """Show who has changed what of the configuration, the newest first."""
    found = _users().audit(Settings(), limit, project=project, resource_type=resource)
    if as_json:
        for one in found:
            actor = {"type": one.actor.type, "id": one.actor.id, "name": one.actor.name}
            places = {"organization": one.organization_id, "project": one.project_id}
            told = {"resource": one.resource_type, "id": one.resource_id, "action": one.action}
            changed = {"before": one.before, "after": one.after}
            typer.echo(json.dumps({"at": one.at.isoformat(), "actor": actor, **places, **told, **changed}))
        return
    table = Table("when", "who", "what", "resource", "project", box=None, pad_edge=False)
    for one in found:
        who = one.actor.name or one.actor.id or one.actor.type
        resource_id = f"{one.resource_type} {one.resource_id}"
        table.add_row(f"{one.at:%Y-%m-%d %H:%M:%S}Z", who, one.action, resource_id, one.project_id or "")
    console = Console(highlight=False, markup=False)
    console.print(table, width=max(console.width, 120), soft_wrap=True)


def _users() -> ModuleType:
    # SQLAlchemy, a second of imports: the other commands do without.
    from operations import users  # noqa: PLC0415

    return users
