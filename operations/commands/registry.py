"""Adds the operator's commands to `heliograph`."""

import typer

from operations.commands import (
    cluster,
    compact,
    deletions,
    demo,
    doctor,
    keys,
    lanes,
    limits,
    logs,
    masking,
    migrate,
    prices,
    projects,
    recost,
    replay,
    retention,
    stack,
    users,
)


def register(app: typer.Typer) -> None:
    """Called by the command line through the entry point."""
    app.command("up")(stack.up)
    app.command("down")(stack.down)
    app.command("status")(stack.status)
    app.command("doctor")(doctor.doctor)
    app.command("logs")(logs.logs)
    app.command("demo")(demo.demo)
    app.command("compact")(compact.compact)
    app.command("recost")(recost.recost)
    app.command("replay")(replay.replay)
    app.command("delete")(deletions.delete)
    app.command("deletions")(deletions.deletions)
    app.command("retention")(retention.retention)
    app.command("audit")(users.audit)
    app.command("node", context_settings=cluster.PASSED_ON)(cluster.node)
    app.command("deploy")(cluster.deploy)
    app.command("withdraw")(cluster.withdraw)
    app.add_typer(lanes.app, name="lanes")
    app.add_typer(limits.app, name="limits")
    app.add_typer(projects.app, name="projects")
    app.add_typer(keys.app, name="keys")
    app.add_typer(migrate.app, name="migrate")
    app.add_typer(masking.app, name="masking")
    app.add_typer(prices.app, name="prices")
    app.add_typer(users.app, name="users")
    app.add_typer(users.organizations_app, name="organizations")
