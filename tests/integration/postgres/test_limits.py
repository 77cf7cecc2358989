"""Limits of projects and counts of events in PostgreSQL."""

import asyncio
import uuid
from datetime import date

from heliograph.domain.access import Project
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.limits import ProjectLimits, Usage
from storage.postgres.connection import Database
from storage.postgres.limits import EventCounts, LimitsOfProjects

_DAY = date(2026, 11, 30)


async def test_limits_are_kept_and_every_change_is_noticed(database: Database, project: Project) -> None:
    limits = LimitsOfProjects(database)
    assert await limits.of(project.id) == ProjectLimits()
    versions = [await limits.version()]
    changes = [
        ProjectLimits({"ingestion": 100}, 1_000, 20_000, 0.25),
        ProjectLimits({"public-api": 5}, None, None, 1.0),
    ]
    for change in changes:
        await limits.set(project.id, change)
        assert await limits.of(project.id) == change
        assert (await limits.all())[project.id] == change
        versions.append(await limits.version())
    assert len(set(versions)) == 3


async def test_counts_of_replicas_add_up_by_day_and_month(database: Database) -> None:
    first, second, other = (ProjectId(uuid.uuid4().hex) for _ in range(3))
    counts = EventCounts(database)
    one = {(first, _DAY): 1, (second, _DAY): 2}
    another = {(second, _DAY): 3, (first, _DAY): 4, (first, date(2026, 11, 1)): 10, (first, date(2026, 10, 31)): 100}
    await asyncio.gather(*(counts.add(each) for each in (one, another) * 10))
    found = await counts.of([first, second, other], _DAY)
    assert found == {first: Usage(50, 150), second: Usage(50, 50)}


async def test_nothing_counted_writes_nothing(database: Database) -> None:
    await EventCounts(database).add({})
