"""The command `demo`: fill the first project with a week of made-up traffic."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from heliograph.settings import Settings
from operations.connection import Connection
from operations.errors import StackNotRunning


def demo() -> None:
    """Load a week of made-up traffic into the first project; a second time replaces the first."""
    settings = Settings()
    connection = Connection.read(settings.data)
    if connection is None:
        raise StackNotRunning(str(settings.data))
    load(connection)


def load(connection: Connection, console: Console | None = None) -> None:
    """Send the demo to a project, with a progress bar.

    Raises:
        KeyUnknown: The keys are not those of a project there.
    """
    # Imported here: the SDK would cost every other command most of a second.
    from operations import demo as made_up  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("demo traces", total=None)

        def progress(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        made_up.run(connection.url, connection.public_key, connection.secret_key, progress=progress)
