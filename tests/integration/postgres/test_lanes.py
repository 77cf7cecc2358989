import asyncio
import itertools

import pytest
from sqlalchemy import text

from heliograph.domain.access import Project
from heliograph.domain.errors import LaneFenced
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LogPosition
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


async def test_the_first_map_stays_when_the_settings_change(registry: LaneRegistry) -> None:
    await registry.create_map(5)

    lane_map = await registry.lane_map()

    assert (lane_map.version, lane_map.count, dict(lane_map.dedicated)) == (1, 2, {})


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


async def test_generations_of_the_projects_that_exist(registry: LaneRegistry, project: Project) -> None:
    assert await registry.generations([project.id, ProjectId("nowhere")]) == {project.id: 0}
    assert await registry.generations([]) == {}
