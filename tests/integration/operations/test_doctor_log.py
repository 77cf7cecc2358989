"""`heliograph doctor --log` on the real stores: each fault is found, named and tells the next step."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import Result

from heliograph.domain.deletions import SubjectType, Tombstone
from heliograph.domain.lanes import LogPosition
from storage.objects import segments
from tests.integration.pipelines.lane_logs import AT_ONCE, DAY, LaneLog, records

Doctor = Callable[[LaneLog], Any]


@pytest.fixture
def doctor(heliograph: Callable[..., Result]) -> Doctor:
    async def run(lane: LaneLog) -> Result:
        return await asyncio.to_thread(heliograph, "doctor", "--log", "--lane", lane.lane)

    return run


@pytest.fixture
async def busy(lane: LaneLog) -> LaneLog:
    """Two epochs of which the first and a part of the second are archived, but nothing is freed."""
    for n in range(4):
        lane.append(f"a{n}", received_at=DAY + timedelta(days=n % 2))
    await lane.take_over()
    for n in range(4):
        lane.append(f"b{n}")
    await lane.flush(LogPosition(lane.position.epoch, lane.position.segment - 2))
    await lane.compaction(AT_ONCE.model_copy(update={"free_after_days": 10**5})).run()
    return lane


def key(lane: LaneLog, segment: int) -> str:
    (position,) = [one.position for one in lane.log().segments_after(None) if one.position.segment == segment]
    return segments.key(lane.lane, position)


def remove(lane: LaneLog, key: str) -> None:
    lane.client.delete_object(Bucket=lane.bucket, Key=key)


def put(lane: LaneLog, key: str, body: bytes, nonce: str = "") -> None:
    lane.client.put_object(Bucket=lane.bucket, Key=key, Body=body, Metadata={"nonce": nonce} if nonce else {})


async def test_a_sound_log_is_fine(busy: LaneLog, doctor: Doctor) -> None:
    result = await doctor(busy)
    assert result.exit_code == 0, result.output
    assert "wrong" not in result.output
    assert "9 objects" in result.output
    assert "head 9, flushed to 7, archived to 7" in result.output


async def test_what_a_compaction_freed_and_merged_is_no_fault(busy: LaneLog, doctor: Doctor) -> None:
    await busy.flush()
    for _ in range(2):
        done = await busy.compaction().run()
    assert len(busy.segments()) == 3
    assert done.merged.removed
    result = await doctor(busy)
    assert result.exit_code == 0, result.output


async def test_what_was_deleted_is_not_missing(busy: LaneLog, doctor: Doctor) -> None:
    await busy.deletions.record(
        [Tombstone(busy.project_id, SubjectType.TRACE, "trace-1", busy.lane, segment=8, ordinal=0)]
    )
    await busy.flush()
    await busy.compaction(AT_ONCE.model_copy(update={"free_after_days": 10**5})).run()
    assert [entity for *_, entity in busy.archived()] == ["b2", "b3"]
    result = await doctor(busy)
    assert result.exit_code == 0, result.output


async def test_a_lane_without_a_log_is_fine(lane: LaneLog, doctor: Doctor) -> None:
    assert (await doctor(lane)).exit_code == 0


async def hole(lane: LaneLog) -> None:
    remove(lane, key(lane, 8))


async def lost(lane: LaneLog) -> None:
    remove(lane, key(lane, 6))
    (index,) = [
        entry["Key"]
        for entry in lane.client.list_objects_v2(Bucket=lane.bucket, Prefix=f"raw-index/{lane.lane}/")["Contents"]
    ]
    remove(lane, index)


async def number_twice(lane: LaneLog) -> None:
    put(lane, segments.key(lane.lane, LogPosition(1, 8)), segments.encode(records("late", project_id="p")))


async def no_seal(lane: LaneLog) -> None:
    remove(lane, key(lane, 5))


async def behind_the_seal(lane: LaneLog) -> None:
    put(lane, segments.key(lane.lane, LogPosition(1, 6)), segments.encode(records("late", project_id="p")))


async def fence_freed(lane: LaneLog) -> None:
    remove(lane, key(lane, 4))


async def unreadable(lane: LaneLog) -> None:
    put(lane, key(lane, 9), b"not parquet")


async def nonce_twice(lane: LaneLog) -> None:
    body = segments.encode(records("b2", project_id=lane.project_id))
    for segment in (8, 9):
        put(lane, key(lane, segment), body, "the same")


async def count_differs(lane: LaneLog) -> None:
    put(lane, key(lane, 3), segments.encode(records("a2", "more", project_id=lane.project_id)))


async def archive_lacks(lane: LaneLog) -> None:
    remove(lane, lane.files()[0].key)


async def archive_unreadable(lane: LaneLog) -> None:
    put(lane, lane.files()[0].key, b"not parquet")


async def archived_twice(lane: LaneLog) -> None:
    file = lane.files()[0]
    body = lane.client.get_object(Bucket=lane.bucket, Key=file.key)["Body"].read()
    put(lane, file._replace(first=file.last, last=file.last + 5).key, body)


async def damaged_kept(lane: LaneLog) -> None:
    put(lane, f"damaged/{key(lane, 3)}", b"what was there")


@pytest.mark.parametrize(
    ("injure", "check", "where"),
    [
        (hole, "hole", "segment 8"),
        (lost, "lost", "segment 6"),
        (number_twice, "number twice", "segment 8 in epochs 1 and 2"),
        (no_seal, "no seal", "epoch 1"),
        (behind_the_seal, "behind the seal", "segment 6 of epoch 1"),
        (fence_freed, "fence freed", "segment 4 of epoch 1"),
        (unreadable, "unreadable", "segment 9 of epoch 2"),
        (nonce_twice, "nonce twice", "segments 8 and 9"),
        (count_differs, "count differs", "segment 3: 2 records, of which the archive took 1"),
        (archive_lacks, "archive lacks", "1 records of segment 1"),
        (archive_unreadable, "archive unreadable", "lane-"),
        (archived_twice, "archived twice", "records of raw/"),
        (archived_twice, "archive overlap", "lane-"),
        (damaged_kept, "damaged kept", "damaged/wal/"),
    ],
)
async def test_a_fault_is_named_with_its_place_and_the_next_step(
    busy: LaneLog, doctor: Doctor, *, injure: Callable[[LaneLog], Any], check: str, where: str
) -> None:
    await injure(busy)
    result = await doctor(busy)
    assert result.exit_code == 1, result.output
    (line, *_) = [line for line in result.output.splitlines() if check in line]
    assert "wrong" in line
    assert where in line


async def test_another_compaction_is_waited_for_by_the_operator(
    busy: LaneLog, heliograph: Callable[..., Result]
) -> None:
    async with busy.compactions.exclusively(busy.lane):
        result = await asyncio.to_thread(heliograph, "doctor", "--lane", busy.lane)
    assert "is being compacted already" in str(result.exception)
