"""What the page of operations asks: how far the stack is behind, and what is under way for the project."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from heliograph.domain.backfills import Backfill, BackfillProgress
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.lane_backlog import Backlog, backlog_of
from heliograph.domain.replays import ReplayProgress
from heliograph.measures import Sample, values_by_lane
from storage.postgres.backfills import ProjectBackfills
from storage.postgres.connection import Database
from storage.postgres.replays import ProjectReplays

MAX_WORKS = 20


class Reports(Protocol):
    """What every process of the stack has reported of itself; see `MetricsBoard.samples`. Raises Unavailable."""

    async def samples(self) -> list[Sample]:
        """Everything that is not too old."""
        ...


class NoReports:
    """Nothing reports."""

    async def samples(self) -> list[Sample]:
        """None."""
        return []


@dataclass(frozen=True)
class Work:
    """Work over much data, and how many of its parts are done; no parts while it is not cut."""

    kind: str
    is_trial: bool
    done: int
    parts: int
    begun_at: datetime
    ended_at: datetime | None
    error: str = ""


class OperationsQueries:
    """The questions about the stack, and about the work that one project waits for."""

    def __init__(self, database: Database, reports: Reports, project_id: ProjectId) -> None:
        self._reports = reports
        self._replays = ProjectReplays(database, project_id)
        self._backfills = ProjectBackfills(database, project_id)

    async def backlog(self) -> Backlog:
        """What the lanes, which work for every project, have still to do."""
        try:
            return backlog_of(values_by_lane(await self._reports.samples()))
        except Unavailable as error:
            return Backlog(unknown_because=str(error))

    async def works(self) -> Sequence[Work]:
        """The last replays and backfills, the newest first."""
        replays, backfills = await asyncio.gather(self._replays.newest(MAX_WORKS), self._backfills.progress(MAX_WORKS))
        found = [*map(_of_replay, replays), *(_of_backfill(*each) for each in backfills)]
        return sorted(found, key=lambda work: work.begun_at, reverse=True)[:MAX_WORKS]


def _of_replay(found: ReplayProgress) -> Work:
    replay = found.replay
    return Work("replay", replay.is_trial, found.done, replay.parts, found.created_at, found.finished_at)


def _of_backfill(backfill: Backfill, progress: BackfillProgress) -> Work:
    return Work(
        str(backfill.kind), backfill.is_trial, progress.done, progress.parts,
        backfill.created_at, backfill.finished_at, backfill.error,
    )  # fmt: skip
