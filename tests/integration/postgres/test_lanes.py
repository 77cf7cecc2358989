import asyncio
import itertools

import pytest
from sqlalchemy import text

from heliograph.domain.access import Project
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lane_errors import LaneFenced
from heliograph.domain.lanes import LogPosition, RaisedGeneration
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry

_numbers = itertools.count(100)


@pytest.fixture
def registry(database: Database) -> LaneRegistry:
    return LaneRegistry(database)


@pytest.fixture
def lane() -> LaneNumber:
    return LaneNumber(next(_numbers))


async def test_every_owner_gets_an_epoch_of_its_own(registry: LaneRegistry, lane: LaneNumber) -> None:
    epochs = await asyncio.gather(*(registry.take_epoch(lane) for _ in range(8)))

    assert sorted(epochs) == list(range(1, 9))


async def test_a_lane_without_a_flush_has_no_checkpoint(registry: LaneRegistry, lane: LaneNumber) -> None:
    assert await registry.checkpoint(lane) is None
    await registry.take_epoch(lane)
    assert await registry.checkpoint(lane) is None


async def test_a_checkpoint_never_goes_backwards(registry: LaneRegistry, lane: LaneNumber) -> None:
    epoch = await registry.take_epoch(lane)

    await registry.record_checkpoint(lane, epoch=epoch, position=LogPosition(epoch, 7))
    await registry.record_checkpoint(lane, epoch=epoch, position=LogPosition(epoch, 5))

    assert await registry.checkpoint(lane) == LogPosition(epoch, 7)


async def test_an_owner_of_an_older_epoch_is_fenced(registry: LaneRegistry, lane: LaneNumber) -> None:
    old = await registry.take_epoch(lane)
    new = await registry.take_epoch(lane)
    await registry.record_checkpoint(lane, epoch=new, position=LogPosition(old, 3))

    with pytest.raises(LaneFenced):
        await registry.record_checkpoint(lane, epoch=old, position=LogPosition(old, 9))

    assert await registry.checkpoint(lane) == LogPosition(old, 3)


async def test_a_newer_map_dedicates_lanes_to_a_hot_project(
    registry: LaneRegistry, database: Database, project: Project
) -> None:
    publish = text(
        "INSERT INTO lane_map (version, count, dedicated) VALUES (2, 4, "
        "jsonb_build_object(CAST(:id AS text), '[2, 3]'::jsonb))"
    )
    withdraw = text("DELETE FROM lane_map WHERE version = 2")
    async with database.transaction() as session:
        await session.execute(publish, {"id": project.id})

    assert (await registry.lane_map()).lanes_of(project.id) == (2, 3)

    async with database.transaction() as session:
        await session.execute(withdraw)


async def test_a_generation_that_is_recorded_again_keeps_its_segment(
    registry: LaneRegistry, lane: LaneNumber, project: Project
) -> None:
    epoch = await registry.take_epoch(lane)
    for segment in (7, 9):
        await registry.raise_generations(lane, [RaisedGeneration(project.id, segment, 1)], epoch=epoch)

    assert await registry.generations(lane) == [RaisedGeneration(project.id, 7, 1)]


async def test_an_owner_of_an_older_epoch_raises_no_generation(
    registry: LaneRegistry, lane: LaneNumber, project: Project
) -> None:
    old = await registry.take_epoch(lane)
    await registry.take_epoch(lane)

    with pytest.raises(LaneFenced):
        await registry.raise_generations(lane, [RaisedGeneration(project.id, 7, 1)], epoch=old)

    assert await registry.generations(lane) == []
