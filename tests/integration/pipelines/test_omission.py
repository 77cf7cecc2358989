"""Deleted records leave the archive and the log, whatever ends the compaction in between; their neighbours stay."""

import pyarrow as pa
import pytest

from heliograph.domain.access import Project
from heliograph.domain.deletions import SubjectType, Tombstone
from heliograph.domain.lanes import LogPosition
from heliograph.settings import MaintenanceSettings
from storage.postgres.projects import Projects
from tests.integration.pipelines.lane_logs import AT_ONCE, DAY, Killed, LaneLog, MortalClient, records

KEEPING = AT_ONCE.model_copy(update={"free_after_days": 10**5})


@pytest.fixture
async def project(lane: LaneLog) -> Project:
    made = await Projects(lane.database).create(f"project {lane.lane}", organization_name="The organization")
    lane.project_id = made.id
    return made


async def bury(lane: LaneLog, subject_type: SubjectType, subject: str) -> str:
    """A tombstone at the next position of the log; the id of its deletion."""
    deletion = await lane.deletions.request(
        lane.project_id, subject_type, [subject], requested_by="test", lanes=[lane.lane]
    )
    tombstone = pa.Table.from_pylist(
        [{**records("", project_id=lane.project_id).to_pylist()[0], "kind": "tombstone", "subject": subject}],
        schema=records("", project_id="p").schema,
    )
    position = lane.append_records(tombstone)
    await lane.deletions.record(
        [Tombstone(lane.project_id, subject_type, subject, lane.lane, position.segment, 0, deletion.id)]
    )
    return deletion.id


def entities(lane: LaneLog) -> list[str]:
    return [entity for *_, entity in lane.archived() if entity]


async def deleted_amid_a_log(lane: LaneLog, settings: MaintenanceSettings) -> str:
    """Archived before, archived with, and not archived yet: records of the deleted trace and of another."""
    lane.append("old-1", "old-2", subject="doomed")
    lane.append("kept-1", subject="other")
    await lane.flush()
    await lane.compaction(settings, now=DAY).run()
    lane.append_records(
        pa.concat_tables(
            [
                records("kept-2", project_id=lane.project_id, subject="other"),
                records("old-3", project_id=lane.project_id, subject="doomed"),
                records("kept-3", project_id=lane.project_id, subject="other"),
            ]
        )
    )
    deletion_id = await bury(lane, SubjectType.TRACE, "doomed")
    lane.append("new", subject="doomed")
    await lane.flush()
    return deletion_id


async def test_records_below_a_tombstone_leave_log_and_archive(lane: LaneLog, project: Project) -> None:
    deletion_id = await deleted_amid_a_log(lane, KEEPING)

    done = await lane.compaction(KEEPING, now=DAY).run()

    assert done.archived.omitted == 3
    assert entities(lane) == ["kept-1", "kept-2", "kept-3", "new"]
    assert set(lane.logged()) == {"", "kept-1", "kept-2", "kept-3", "new"}
    removed = (await lane.deletions.get(deletion_id)).removed
    assert (removed.log_records, removed.archive_files) == (3, 1)


async def test_records_keep_their_ordinals_when_one_before_them_is_omitted(lane: LaneLog, project: Project) -> None:
    await deleted_amid_a_log(lane, AT_ONCE)
    await lane.compaction(now=DAY).run()
    places = [place for place in lane.archived() if place[2].startswith("kept")]
    assert places == [(2, 0, "kept-1"), (3, 0, "kept-2"), (3, 2, "kept-3")]

    await lane.registry.rewind(lane.lane)
    owner = lane.log()
    owner.take_over(await lane.registry.take_epoch(lane.lane), None)
    replayed = owner.read(LogPosition(1, 3))
    assert replayed["entity_id"].to_pylist() == ["kept-2", "", "kept-3"]
    assert replayed["kind"].to_pylist() == ["event", "omitted", "event"]


@pytest.mark.parametrize("changes", range(8))
async def test_a_kill_amid_the_omission_leaves_nothing_deleted_behind(
    lane: LaneLog, project: Project, changes: int
) -> None:
    await deleted_amid_a_log(lane, KEEPING)
    died = False
    try:
        await lane.compaction(KEEPING, client=MortalClient(lane.client, changes)).run()
    except Killed:
        died = True
    await lane.compaction(KEEPING, now=DAY).run()
    assert died == (changes < 6)
    assert entities(lane) == ["kept-1", "kept-2", "kept-3", "new"]
    assert not {"old-1", "old-2", "old-3"} & set(lane.logged())


async def test_files_that_a_merge_superseded_are_swept_too(lane: LaneLog, project: Project) -> None:
    for entity in ("old-1", "old-2"):
        lane.append(entity, subject="doomed")
        await lane.flush()
        await lane.compaction(KEEPING, now=DAY).run()
    await lane.compaction(KEEPING.model_copy(update={"superseded_for_seconds": 10.0**9})).run()
    assert len(lane.files()) == 3
    await bury(lane, SubjectType.TRACE, "doomed")
    await lane.flush()

    await lane.compaction(KEEPING, now=DAY).run()

    assert [(file.first, file.last) for file in lane.files()] == [(3, 3)]
    assert entities(lane) == []


@pytest.mark.parametrize(
    ("subject_type", "subject", "left"),
    [
        (SubjectType.PROJECT, "", ["elsewhere"]),
        (SubjectType.SCORE, "score-1", ["elsewhere", "on-session", "on-trace"]),
        (SubjectType.SESSION, "s", ["elsewhere", "on-trace", "score-1"]),
        (SubjectType.USER, "u", ["elsewhere", "on-session", "on-trace", "score-1"]),
    ],
)
async def test_each_kind_of_tombstone_covers_its_own(
    lane: LaneLog, project: Project, *, subject_type: SubjectType, subject: str, left: list[str]
) -> None:
    mine = records("on-trace", "score-1", project_id=project.id).to_pylist()
    mine[1]["entity_type"] = "score"
    on_session = records("on-session", project_id=project.id, subject="session:s").to_pylist()
    rows = [*mine, *on_session]
    lane.append_records(pa.Table.from_pylist(rows, schema=records("", project_id="p").schema))
    lane.append_records(records("elsewhere", project_id=f"{lane.project_id}-2"))
    await lane.flush()
    await lane.compaction(KEEPING, now=DAY).run()
    await bury(lane, subject_type, subject or lane.project_id)
    await lane.flush()

    await lane.compaction(KEEPING, now=DAY).run()

    assert sorted(entities(lane)) == left
    assert sorted(entity for entity in lane.logged() if entity) == left
