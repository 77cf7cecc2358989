"""`heliograph gate`: keep gates, and hold experiments to them."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

app = typer.Typer(help="Gates: what an experiment has to come to before a release.", no_args_is_help=True)
_REFUSED = 1


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(help="Of the gate.")],
    experiment: Annotated[str, typer.Argument(help="The name of the experiment.")],
    *,
    baseline: Annotated[str, typer.Option(help="What differences are from, in place of the gate's own.")] = "",
) -> None:
    """Hold an experiment to a gate: exits with 0 when it passes, with 1 and the reasons when it does not."""
    from heliograph.client.connecting import connect  # noqa: PLC0415 - the other commands do without

    with connect() as project:
        found = project.gates.check(name, experiment, baseline=baseline).answer
    console = Console(highlight=False, soft_wrap=True)
    for one in found.rules:
        console.print(f"{'[green]kept  [/]' if one.passed else '[red]broken[/]'}  {escape(one.reason)}")
    if found.passed:
        console.print(f"{escape(experiment)} passes {escape(name)}.")
        return
    console.print(f"{escape(experiment)} does not pass {escape(name)}:")
    for reason in found.reasons:
        console.print(f"  {escape(reason)}")
    raise typer.Exit(_REFUSED)


@app.command("put")
def put(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A gate as JSON; docs/experiments.md.")],
) -> None:
    """Keep the gate of a file in place of the one of that name."""
    from heliograph.client.connecting import connect  # noqa: PLC0415 - as above
    from heliograph.domain.errors import InvalidRequest  # noqa: PLC0415
    from heliograph.domain.gates import Gate  # noqa: PLC0415

    try:
        gate = Gate.model_validate(json.loads(file.read_text("utf-8")))
    except ValueError as error:
        raise InvalidRequest(str(file), str(error)) from None
    with connect() as project:
        project.gates.put(gate)
    Console(highlight=False).print(f"{escape(gate.name)} is kept.")


@app.command("list")
def show() -> None:
    """List the gates."""
    from heliograph.client.connecting import connect  # noqa: PLC0415 - as above

    with connect() as project:
        for gate in project.gates():
            Console(highlight=False, soft_wrap=True).print(
                f"{escape(gate.name)}  over {escape(gate.dataset_name)}, {len(gate.rules)} rules"
            )
