"""Work over what is stored, as operators see how far it is."""

from datetime import date

from dashboard.queries.operations import NoReports, OperationsQueries
from heliograph.domain.access import Project
from heliograph.domain.backfills import BackfillKind, DayPart
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.replays import ReplayReport
from storage.postgres.backfills import Backfills, ProjectBackfills
from storage.postgres.connection import Database
from storage.postgres.replays import Replays


async def test_replays_and_backfills_are_shown_with_the_parts_that_are_done(
    database: Database, project: Project
) -> None:
    backfills, replays = Backfills(database), Replays(database)
    asked = await ProjectBackfills(database, project.id).begin(BackfillKind.EXPORT, {"table": "traces"}, is_trial=False)
    waiting = await ProjectBackfills(database, project.id).begin(BackfillKind.RECOST, {}, is_trial=True)
    await backfills.cut(asked.id, [DayPart(date(2026, 1, day)) for day in (1, 2, 3)])
    for part in (0, 1):
        await backfills.found(asked.id, part, {})
    await backfills.stored(asked.id, 0, {})
    through = {LaneNumber(0): 7}
    begun = await replays.begin(project.id, None, None, is_trial=False, through=through, bounds=["a"])
    await replays.found(begun.id, 0, ReplayReport())
    await replays.stored(begun.id, 0, ReplayReport())
    await replays.begin(ProjectId("another"), None, None, is_trial=False, through=through, bounds=[])
    await backfills.finish(waiting.id, "ClickHouse was away")

    works = await OperationsQueries(database, NoReports(), project.id).works()

    shown = [(work.kind, work.is_trial, work.done, work.parts, work.error) for work in works]
    assert shown == [
        ("replay", False, 1, 2, ""),
        ("recost", True, 0, 0, "ClickHouse was away"),
        ("export", False, 1, 3, ""),
    ]
    assert [work.ended_at is None for work in works] == [True, False, True]


async def test_a_stack_whose_lanes_report_nothing_is_not_taken_for_one_without_a_backlog(
    database: Database, project: Project
) -> None:
    found = await OperationsQueries(database, NoReports(), project.id).backlog()
    assert found.is_behind
