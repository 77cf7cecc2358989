"""Compaction on the real stores: the archive holds every record once, whatever ends the compaction in between."""

import asyncio
import os
import signal
import sys
from collections import Counter
from datetime import timedelta

import pyarrow as pa
import pytest

from heliograph.domain.lane_errors import CompactionRunning
from heliograph.domain.lanes import LogPosition
from heliograph.settings import MaintenanceSettings
from storage.objects import segments
from storage.objects.log_upkeep import LogUpkeep
from storage.objects.raw_log import Written
from storage.postgres.compactions import Compactions
from tests.integration.pipelines.lane_logs import AT_ONCE, DAY, LATER, Killed, LaneLog, MortalClient, records

KEEPING = MaintenanceSettings()


async def test_records_are_archived_by_project_and_day_at_their_log_positions(lane: LaneLog) -> None:
    other = f"{lane.project_id}/ä"
    midnight = DAY + timedelta(hours=12)
    first = lane.append_records(
        pa.concat_tables(
            [
                records("a", project_id=lane.project_id),
                records("b", project_id=lane.project_id, received_at=midnight),
                records("c", project_id=other),
            ]
        )
    )
    second = lane.append("d", received_at=midnight)
    await lane.flush()

    done = await lane.compaction(KEEPING, now=DAY).run()

    assert (done.archived.records, done.archived.files, done.freed.segments) == (4, 3, 0)
    found = {
        (file.partition.project_id, file.partition.day.day): lane.archive.open(file).read()["entity_id"].to_pylist()
        for file in lane.files()
    }
    assert found == {(lane.project_id, 20): ["a"], (lane.project_id, 21): ["b", "d"], (other, 20): ["c"]}
    assert lane.archived() == [
        (first.segment, 0, "a"), (first.segment, 1, "b"), (first.segment, 2, "c"), (second.segment, 0, "d")
    ]  # fmt: skip


async def test_only_what_is_flushed_is_archived_and_only_below_the_checkpoint_is_freed(lane: LaneLog) -> None:
    flushed = [lane.append(entity) for entity in "abc"]
    waiting = lane.append("d")
    await lane.flush(flushed[-1])

    done = await lane.compaction().run()

    assert [entity for *_, entity in lane.archived()] == ["a", "b", "c"]
    assert done.freed.segments == 2
    assert lane.segments() == [flushed[-1].segment, waiting.segment]


async def test_young_segments_are_kept(lane: LaneLog) -> None:
    for entity in "abc":
        lane.append(entity)
    await lane.flush()

    done = await lane.compaction(KEEPING).run()
    assert done.freed.segments == 2

    for entity in "def":
        lane.append(entity)
    await lane.flush()
    assert (await lane.compaction(KEEPING, now=DAY).run()).freed.segments == 0


async def test_a_seal_and_the_segment_before_it_outlive_the_compaction(lane: LaneLog) -> None:
    zombie = lane.owner
    for entity in "abc":
        last = lane.append(entity)
    await lane.take_over()
    lane.append("d")
    lane.append("e")
    await lane.flush()

    done = await lane.compaction().run()

    seal = last.segment + 1
    assert (done.freed.segments, done.freed.emptied) == (3, 1)
    assert lane.segments() == [last.segment, seal, lane.position.segment]
    assert lane.log().read(last).num_rows == 0
    assert zombie.write(LogPosition(last.epoch, seal), b"late", zombie.new_nonce()) is Written.FOREIGN


async def test_a_former_owner_that_wakes_knows_its_last_segment_and_ends_fenced(lane: LaneLog) -> None:
    zombie, data = lane.owner, segments.encode(records("b", project_id=lane.project_id))
    lane.append("a")
    nonce, position = zombie.new_nonce(), LogPosition(lane.position.epoch, lane.position.segment + 1)
    zombie.write(position, data, nonce)
    await lane.take_over()
    await lane.flush()
    await lane.compaction().run()
    lane.append("c")
    await lane.flush()
    await lane.compaction().run()

    assert zombie.write(position, data, nonce) is Written.OURS
    behind = LogPosition(position.epoch, position.segment + 1)
    assert zombie.write(behind, data, zombie.new_nonce()) is Written.FOREIGN
    await lane.compaction().run()
    assert Counter(entity for *_, entity in lane.archived()) == Counter("abc")


@pytest.mark.parametrize("takes_over", [False, True])
async def test_a_rewound_lane_replays_what_was_freed_from_the_archive(lane: LaneLog, *, takes_over: bool) -> None:
    others = f"{lane.project_id}-2"
    before = [
        lane.append_records(
            pa.concat_tables([records(f"a{n}", project_id=lane.project_id), records(f"b{n}", project_id=others)])
        )
        for n in range(3)
    ]
    if takes_over:
        await lane.take_over()
    after = [lane.append(f"c{n}") for n in range(2)]
    await lane.flush(after[0])
    await lane.compaction().run()
    await lane.registry.rewind(lane.lane)

    owner = lane.log()
    replay, free = owner.take_over(await lane.registry.take_epoch(lane.lane), None)

    assert [listed.position for listed in replay] == [*before, *after]
    assert free == after[-1].segment + 2
    read = [owner.read(listed.position)["entity_id"].to_pylist() for listed in replay]
    assert read == [["a0", "b0"], ["a1", "b1"], ["a2", "b2"], ["c0"], ["c1"]]
    assert owner.read(before[0]).schema == records("x", project_id="p").schema


async def test_a_segment_freed_amid_a_replay_is_read_from_the_archive(lane: LaneLog) -> None:
    first = lane.append("a")
    lane.append("b")
    reader = lane.log()
    await lane.flush()
    await lane.compaction().run()

    assert first.segment not in lane.segments()
    assert reader.read(first)["entity_id"].to_pylist() == ["a"]


async def changes_of_a_whole_run(lane: LaneLog) -> None:
    """Two ranges of two days, then a merge, freeing and the removal of superseded files."""
    for n in range(6):
        lane.append(f"s{n}", received_at=DAY + timedelta(days=n % 2))
    await lane.take_over()
    lane.append("s6")
    lane.append("s7")
    await lane.flush()


SMALL = AT_ONCE.model_copy(update={"max_range_segments": 4, "max_held_bytes": 1})


@pytest.mark.parametrize("settings", [AT_ONCE, SMALL], ids=["one range", "many ranges"])
async def test_a_kill_before_any_change_of_the_object_store_neither_loses_nor_doubles(
    lane: LaneLog, settings: MaintenanceSettings
) -> None:
    await changes_of_a_whole_run(lane)
    expected = Counter(f"s{n}" for n in range(8))
    deaths = 0
    for changes in range(60):
        try:
            await lane.compaction(settings, client=MortalClient(lane.client, 1 + changes % 3)).run()
        except Killed:
            deaths += 1
        else:
            if len(lane.files()) == 2:
                break
        seen = Counter(entity for *_, entity in lane.archived())
        assert max(seen.values(), default=1) == 1
        assert seen | lane.logged() >= expected
        assert all(count == 1 for count in seen.values())
    assert deaths > 3
    assert Counter(entity for *_, entity in lane.archived()) == expected


class Mortal(Compactions):
    """Dies instead of one of its two writes."""

    def __init__(self, compactions: Compactions, dies_at: str) -> None:
        super().__init__(compactions._database)
        self._dies_at = dies_at

    async def aim(self, *arguments: object) -> None:
        if self._dies_at == "aim":
            raise Killed
        await super().aim(*arguments)  # type: ignore[arg-type]

    async def reach(self, *arguments: object) -> None:
        if self._dies_at == "reach":
            raise Killed
        await super().reach(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", ["aim", "reach"])
async def test_a_kill_before_the_cursor_moves_repeats_the_same_range(lane: LaneLog, step: str) -> None:
    lane.append("a")
    await lane.flush()
    with pytest.raises(Killed):
        await lane.compaction(compactions=Mortal(lane.compactions, step)).run()
    lane.append("b")
    await lane.flush()

    await lane.compaction(now=DAY).run()

    assert [entity for *_, entity in lane.archived()] == ["a", "b"]
    ranges = [(file.first, file.last) for file in lane.files()]
    assert ranges == ([(1, 1), (2, 2)] if step == "reach" else [(1, 2)])


async def compacted(lane: LaneLog) -> bool:
    """Whether PostgreSQL had noticed by now that the killed process is gone."""
    try:
        await lane.compaction().run()
    except CompactionRunning:
        return False
    return True


async def test_a_process_killed_with_9_holds_nobody_up(lane: LaneLog) -> None:
    await changes_of_a_whole_run(lane)
    own = {"HELIOGRAPH_DATA_DIR": str(lane.settings.data), "HELIOGRAPH_PORT": str(lane.settings.port)}
    # Behind the file of the first day, before that of the second.
    command = [sys.executable, "-m", "tests.integration.pipelines.killed_compaction", str(lane.lane), "1"]
    process = await asyncio.create_subprocess_exec(*command, env=os.environ | own)
    assert await process.wait() == -signal.SIGKILL
    assert len(lane.files()) == 1

    for _ in range(600):
        if await compacted(lane):
            break
        await asyncio.sleep(0.05)

    assert Counter(entity for *_, entity in lane.archived()) == Counter(f"s{n}" for n in range(8))


async def test_two_do_not_compact_one_lane_at_once(lane: LaneLog) -> None:
    async with lane.compactions.exclusively(lane.lane):
        with pytest.raises(CompactionRunning):
            await lane.compaction().run()
    await lane.compaction().run()


async def test_small_files_become_one_when_their_day_is_over(lane: LaneLog) -> None:
    for entity in "abc":
        lane.append(entity)
        await lane.flush()
        await lane.compaction(now=DAY).run()
    small = lane.files()
    assert [(file.first, file.last) for file in small] == [(1, 1), (2, 2), (3, 3)]

    keeping_small = AT_ONCE.model_copy(update={"superseded_for_seconds": 10.0**9})
    assert (await lane.compaction(keeping_small).run()).merged.merged == 3
    assert len(lane.files()) == 4
    assert lane.archived() == [(1, 0, "a"), (2, 0, "b"), (3, 0, "c")]

    assert (await lane.compaction().run()).merged.removed == 3
    assert [(file.first, file.last) for file in lane.files()] == [(1, 3)]
    assert lane.archived() == [(1, 0, "a"), (2, 0, "b"), (3, 0, "c")]


async def test_files_are_not_merged_beyond_their_bound(lane: LaneLog) -> None:
    for entity in "abcd":
        lane.append(entity)
        await lane.flush()
        await lane.compaction(now=DAY).run()
    size = max(file.nbytes for file in lane.files())
    for _ in range(2):
        await lane.compaction(AT_ONCE.model_copy(update={"max_file_bytes": 2 * size})).run()
    assert [(file.first, file.last) for file in lane.files()] == [(1, 2), (3, 4)]


async def test_a_damaged_segment_is_kept_and_costs_its_neighbours_nothing(lane: LaneLog) -> None:
    positions = [lane.append(entity * 50) for entity in "abc"]
    await lane.flush()
    key = segments.key(lane.lane, positions[1])
    whole = lane.client.get_object(Bucket=lane.bucket, Key=key)["Body"].read()
    broken = whole[:40] + bytes(byte ^ 0xFF for byte in whole[40:200]) + whole[200:]
    lane.client.put_object(Bucket=lane.bucket, Key=key, Body=broken)

    done = await lane.compaction().run()

    assert done.archived.damaged == 1
    assert [entity[0] for *_, entity in lane.archived()] == ["a", "c"]
    assert lane.client.get_object(Bucket=lane.bucket, Key=f"damaged/{key}")["Body"].read() == broken


async def test_compactions_beside_appends_take_nothing_twice(lane: LaneLog) -> None:
    async def append() -> None:
        for n in range(30):
            await asyncio.to_thread(lane.append, f"s{n}")
            await lane.flush()

    appending = asyncio.create_task(append())
    while not appending.done():
        await lane.compaction(now=LATER).run()
    await appending
    await lane.compaction().run()
    assert Counter(entity for *_, entity in lane.archived()) == Counter(f"s{n}" for n in range(30))


async def test_the_last_segment_of_an_open_epoch_stays_whatever_is_asked(lane: LaneLog) -> None:
    for entity in "abc":
        last = lane.append(entity)
    freed = LogUpkeep(lane.client, lane.bucket, lane.lane).free(10**9, LATER)
    assert (freed.segments, freed.emptied) == (2, 0)
    assert lane.segments() == [last.segment]
