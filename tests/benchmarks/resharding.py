"""Projects that move while they send: `python -m tests.benchmarks.resharding` against a running stack.

Two clients send, the unmodified OpenTelemetry exporter and one of ours that retries. Meanwhile their projects get lanes
of their own, are spread over others, and go back, each by the operator's command.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from heliograph.settings import Settings
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry
from storage.postgres.projects import Projects
from tests.benchmarks import report
from tests.benchmarks.chaos import rounds

_PAUSE_SECONDS = 3.0


class Moves:
    """The changes of the map, one after the other, and how long each took."""

    def __init__(self, settings: Settings, times: int) -> None:
        self._settings = settings
        self._times = times
        self.seconds: list[float] = []

    def __call__(self) -> None:
        """Move both projects back and forth."""
        projects, lanes = asyncio.run(self._found())
        if lanes < 4:
            self._lanes("add", str(4 - lanes))
        for number in range(self._times):
            for project in projects:
                self._lanes("dedicate", project, "--lanes", "2,3" if number % 2 else "3")
                time.sleep(_PAUSE_SECONDS)
        for project in projects:
            self._lanes("share", project)

    def _lanes(self, *arguments: str) -> None:
        started = time.monotonic()
        subprocess.run(
            [str(Path(sys.executable).with_name("heliograph")), "lanes", *arguments], check=True, capture_output=True
        )
        self.seconds.append(time.monotonic() - started)

    async def _found(self) -> tuple[list[str], int]:
        """The projects of the two clients, which are the newest, and the number of lanes."""
        database = Database(self._settings.postgres_dsn)
        lanes = (await LaneRegistry(database).lane_map()).count
        first = await Projects(database).oldest()
        assert first is not None
        projects = await Projects(database).list_of(first.organization_id)
        await database.close()
        newest: dict[str, str] = {project.name.rsplit("-", 1)[0]: project.id for project in projects}
        return [newest["chaos-exporter"], newest["chaos-client"]], lanes


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=4_000, help="spans per second of the load")
    parser.add_argument("--times", type=int, default=3, help="how often each project moves")
    arguments = parser.parse_args()
    settings = Settings()
    moves = Moves(settings, arguments.times)
    outcome = asyncio.run(rounds.disturb("moves", moves, settings, rate=arguments.rate))
    report.show("resharding", {**asdict(outcome), "seconds of each command": [round(one, 1) for one in moves.seconds]})
    sys.exit(0 if outcome.is_exact else 1)


if __name__ == "__main__":
    main()
