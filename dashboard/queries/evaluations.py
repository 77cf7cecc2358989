"""What the pages ask about evaluation runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.state import ListState
from heliograph.domain.evaluation_runs import EvaluationRun, Failure, RunProgress
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from storage.postgres.connection import Database
from storage.postgres.evaluation_runs import EvaluationRuns


@dataclass(frozen=True)
class WatchedRun:
    """A run, and how far it is."""

    run: EvaluationRun
    progress: RunProgress


@dataclass(frozen=True)
class RunPage:
    """One page of runs, and how many there are."""

    runs: Sequence[WatchedRun]
    total: int


class EvaluationQueries:
    """The questions about the evaluation of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._runs = EvaluationRuns(database, project_id)

    async def page(self, wanted: ListState) -> RunPage:
        """The wanted page of the runs, the newest first."""
        found, total = await self._runs.page(Page(wanted.page, wanted.size))
        progress = await self._runs.progress([run.id for run in found])
        return RunPage([WatchedRun(run, progress[run.id]) for run in found], total)

    async def open(self, limit: int) -> list[WatchedRun]:
        """The runs that have not ended, the newest first."""
        found = await self._runs.open(limit)
        progress = await self._runs.progress([run.id for run in found])
        return [WatchedRun(run, progress[run.id]) for run in found]

    async def run(self, run_id: str) -> WatchedRun:
        """One run; raises EvaluationRunNotFound."""
        return WatchedRun(await self._runs.get(run_id), (await self._runs.progress([run_id]))[run_id])

    async def failures(self, run_id: str, wanted: ListState) -> list[Failure]:
        """The wanted page of what has failed; raises EvaluationRunNotFound."""
        page = Page(wanted.page, wanted.size)
        return await self._runs.failures(run_id, limit=page.size, offset=page.offset)
