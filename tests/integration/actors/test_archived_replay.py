"""A lane that is rewound after its log was archived and freed replays from the archive."""

from heliograph.domain.deletions import SubjectType, Tombstone
from storage.postgres.deletions import Deletions
from storage.postgres.lanes import LaneRegistry
from tests.integration.actors.lane_bench import Bench, append, flushed, running


def lose_rows(bench: Bench) -> None:
    for table in ("observations", "traces"):
        deleting = f"DELETE FROM {table} WHERE project_id = {{p:String}}"  # noqa: S608 - two names of ours
        bench.clickhouse.get().command(deleting, parameters={"p": bench.project_id})


async def test_a_replay_of_what_was_freed_changes_no_row(bench: Bench) -> None:
    async with running(bench.lane()) as lane:
        for number in range(1, 6):
            await append(lane, bench.batch(number, number + 1, cost=number))
        await flushed(lane)
    before = bench.rows("observations"), bench.rows("traces")
    async with running(bench.lane()):
        done = await bench.compacted()
    assert done.freed.segments >= 4
    await LaneRegistry(bench.database).rewind(bench.number)

    async with running(bench.lane()) as lane:
        await flushed(lane)
        assert (await lane.status())["merged"]["records"] == 10
        assert (await lane.status())["unreadable_segments"] == 0

    assert (bench.rows("observations"), bench.rows("traces")) == before


async def test_rows_that_were_lost_come_back_from_the_archive_with_the_same_versions(bench: Bench) -> None:
    async with running(bench.lane()) as lane:
        await append(lane, bench.batch(1, 2, 3))
        await append(lane, bench.batch(2, cost=0.25))
        await append(lane, bench.batch(4, trace=2))
        await flushed(lane)
        await bench.compacted()

    def places() -> list[object]:
        # Without the times of insertion, which are those of the replay.
        return [(row[:3], row[5]) for row in bench.rows("observations")]

    before = places()
    lose_rows(bench)
    assert places() == []
    await LaneRegistry(bench.database).rewind(bench.number)

    async with running(bench.lane()) as lane:
        await flushed(lane)

    assert places() == before
    assert sorted(row[1] for row in bench.rows("traces")) == [1, 3]


async def test_a_replay_from_the_archive_keeps_the_versions_behind_an_omitted_record(bench: Bench) -> None:
    async with running(bench.lane()) as lane:
        await append(lane, bench.batch(1, trace=1))
        await append(lane, bench.batch(2, trace=2))
        await flushed(lane)
    kept = [row for row in bench.rows("observations") if row[0].endswith("2")]
    doomed = f"{1:032x}"
    tombstone = Tombstone(bench.project_id, SubjectType.TRACE, doomed, bench.number, segment=2, ordinal=0)
    await Deletions(bench.database).record([tombstone])
    assert (await bench.compacted()).archived.omitted == 1
    lose_rows(bench)
    await LaneRegistry(bench.database).rewind(bench.number)

    async with running(bench.lane()) as lane:
        await flushed(lane)

    assert [(row[:3], row[5]) for row in bench.rows("observations")] == [(row[:3], row[5]) for row in kept]
