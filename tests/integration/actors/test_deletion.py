"""Deletion by a lane on the real engines: gone from every table, also after kill -9 and a replay from the start."""

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from actors.lane import AppendStatus
from heliograph.domain import tables
from heliograph.domain.deletions import DeletionState, Removed, SubjectType
from heliograph.domain.events import IngestionFacts, MappedBatch, RecordKind
from heliograph.domain.identifiers import LaneNumber
from ingestion import scores
from ingestion.otlp import MappingContext
from storage.postgres.deletions import Deletions
from storage.postgres.lanes import LaneRegistry
from tests.integration.actors.lane_bench import Bench, abandon, append, flushed, replace_settings, running

_TRACE = (1).to_bytes(16, "big").hex()


async def delete(bench: Bench, subject_type: SubjectType, *subjects: str) -> tuple[str, MappedBatch]:
    """A request to delete, noted, and its tombstones for the lane."""
    asked = await Deletions(bench.database).request(
        bench.project_id, subject_type, subjects, requested_by="a test", lanes=[bench.number]
    )
    record = {
        "kind": RecordKind.TOMBSTONE.value,
        "project_id": bench.project_id,
        "entity_type": subject_type.value,
        "entity_id": asked.id,
        "received_at": datetime.now(UTC),
        "facts": "",
        "payload": b"",
    }
    rows = [{**record, "subject": subject} for subject in subjects]
    return asked.id, MappedBatch(pa.Table.from_pylist(rows, tables.RECORDS))


def scored(bench: Bench, score_id: str, trace: str) -> MappedBatch:
    context = MappingContext(bench.project_id, IngestionFacts(), datetime.now(UTC))
    body = f'{{"id":"{score_id}","traceId":"{trace}","name":"q","value":1}}'
    return scores.map_scores(scores.decode(body.encode()).bodies, context)


def contents(bench: Bench) -> dict[str, list[Any]]:
    return {table: bench.rows(table) for table in ("observations", "traces")}


async def test_a_trace_deleted_while_its_spans_arrive_is_gone_and_stays_gone(owned: Bench) -> None:
    lane = owned.lane()
    await lane.start()
    await append(lane, owned.batch(1, 2))
    await flushed(lane)
    assert len(owned.rows("observations")) == 2
    await append(lane, owned.batch(3))
    deletion_id, tombstones = await delete(owned, SubjectType.TRACE, _TRACE)
    assert await append(lane, tombstones) is AppendStatus.DURABLE
    await append(lane, owned.batch(4, cost=0.25))
    await append(lane, owned.batch(5, trace=2))
    await flushed(lane)

    left = contents(owned)
    assert [row[1][-1] for row in left["observations"]] == ["4", "5"]
    assert [(row[1], float(row[2])) for row in left["traces"]] == [(1, 0.25), (1, 0.5)]
    done = await Deletions(owned.database).get(deletion_id)
    assert done.state is DeletionState.DONE
    assert done.removed.traces == 1
    assert done.removed.observations in {2, 3}

    await abandon(lane)
    await LaneRegistry(owned.database).rewind(owned.number)
    async with running(owned.lane()) as replay:
        while (await replay.status())["waiting_segments"]:
            assert await asyncio.to_thread(contents, owned) == left
        assert contents(owned) == left
    assert (await Deletions(owned.database).get(deletion_id)).removed == done.removed


async def test_a_kill_before_the_flush_of_a_tombstone_loses_neither_it_nor_what_follows(owned: Bench) -> None:
    lane = owned.lane()
    await lane.start()
    await append(lane, owned.batch(1))
    await flushed(lane)
    await abandon(lane)
    slow = replace_settings(flush_after_seconds=60.0, busy_flush_after_seconds=60.0)
    slow_lane = owned.lane(slow)
    await slow_lane.start()
    await append(slow_lane, owned.batch(2))
    deletion_id, tombstones = await delete(owned, SubjectType.TRACE, _TRACE)
    await append(slow_lane, tombstones)
    await append(slow_lane, owned.batch(3))
    await abandon(slow_lane)
    async with running(owned.lane()) as successor:
        await flushed(successor)
        assert [row[1][-1] for row in owned.rows("observations")] == ["3"]
    assert (await Deletions(owned.database).get(deletion_id)).state is DeletionState.DONE


async def test_a_deleted_score_leaves_its_trace(owned: Bench) -> None:
    async with running(owned.lane(replace_settings(max_cached_contributions=0))) as lane:
        await append(lane, owned.batch(1))
        await append(lane, scored(owned, "s", _TRACE))
        await append(lane, scored(owned, "t", _TRACE))
        await flushed(lane)
        assert [row[3] for row in owned.rows("traces")] == [2]
        deletion_id, tombstones = await delete(owned, SubjectType.SCORE, "s", "unknown")
        await append(lane, tombstones)
        await flushed(lane)
        assert [row[3] for row in owned.rows("traces")] == [1]
    assert (await Deletions(owned.database).get(deletion_id)).removed == Removed(scores=1)


async def test_a_project_goes_and_a_project_next_to_it_stays(owned: Bench) -> None:
    neighbour = replace(owned, project_id=type(owned.project_id)(uuid.uuid4().hex))
    async with running(owned.lane()) as lane:
        await append(lane, owned.batch(1))
        await append(lane, neighbour.batch(1))
        await append(lane, scored(owned, "s", _TRACE))
        await flushed(lane)
        deletion_id, tombstones = await delete(owned, SubjectType.PROJECT, owned.project_id)
        await append(lane, tombstones)
        await flushed(lane)
    assert contents(owned) == {"observations": [], "traces": []}
    assert len(neighbour.rows("observations")) == 1
    removed = (await Deletions(owned.database).get(deletion_id)).removed
    assert removed == Removed(observations=1, scores=1, traces=1)


async def test_a_lane_that_does_not_own_the_subject_records_the_tombstone_and_deletes_no_row(owned: Bench) -> None:
    async with running(owned.lane()) as lane:
        await append(lane, owned.batch(1))
        await flushed(lane)
    stranger = replace(owned, number=LaneNumber(owned.number + 10**7))
    async with running(stranger.lane()) as other:
        for _ in range(3):
            _, tombstones = await delete(stranger, SubjectType.TRACE, _TRACE)
            await append(other, tombstones)
        await flushed(other)
    assert len(owned.rows("observations")) == 1
    assert len(await Deletions(owned.database).tombstones(stranger.number)) == 3
