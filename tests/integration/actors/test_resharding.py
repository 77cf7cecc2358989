"""Projects move from lane to lane while events arrive: every row is exact, whatever dies at whichever step."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable

import pytest

from actors.lane import Lane
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lane_errors import ReshardingFailed, ReshardingRunning
from heliograph.domain.lanes import LaneMap
from heliograph.settings import Settings
from migrations.relational import Relational
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry
from storage.postgres.projects import Projects
from storage.postgres.resharding import LaneMapChanges
from tests.integration.actors.lane_bench import Bench
from tests.integration.actors.lane_set import Killed, LaneSet, expected, lane_set, sending, stored

TWO, THREE = LaneNumber(2), LaneNumber(3)


def onto(bench: Bench, *lanes: LaneNumber) -> Callable[[LaneMap], LaneMap]:
    """The change that gives the project these lanes."""
    return lambda now: now.with_dedicated(bench.project_id, lanes)


@pytest.fixture
async def bench(migrated: Settings) -> AsyncIterator[Bench]:
    """A database of its own, since there is one lane map in each."""
    postgres = migrated.postgres.model_copy(update={"database": f"tests_{uuid.uuid4().hex}"})
    dsn = migrated.model_copy(update={"postgres": postgres}).postgres_dsn
    await asyncio.to_thread(Relational(dsn).upgrade, 2)
    database = Database(dsn)
    project = await Projects(database).create("moved")
    clickhouse = DeferredClient(lambda: connect_blocking(migrated.clickhouse, migrated.clickhouse_url))
    yield Bench(migrated, clickhouse, database, LaneNumber(0), project.id)
    await database.close()


@pytest.fixture
async def lanes(bench: Bench) -> AsyncIterator[LaneSet]:
    async with lane_set(bench) as lanes:
        yield lanes


async def test_a_project_moves_to_lanes_of_its_own_and_back_under_load(bench: Bench, lanes: LaneSet) -> None:
    home = (await LaneRegistry(bench.database).lane_map()).lanes_of(bench.project_id)
    async with sending(lanes) as senders:
        await asyncio.sleep(0.3)
        await lanes.resharding().change(lambda now: now.with_lanes_added(2))
        for wanted in ((TWO,), (TWO, THREE), (THREE, TWO), home, (TWO, THREE)):
            moved = await lanes.resharding().change(onto(bench, *wanted))
            assert moved.lanes_of(bench.project_id) == wanted
            await asyncio.sleep(0.2)
        shared = await lanes.resharding().change(lambda now: now.with_shared(bench.project_id))
        assert shared.lanes_of(bench.project_id) == home
    assert stored(bench) == expected(senders)
    assert sum(sender.refused for sender in senders) == 0


async def test_quiet_projects_are_spread_over_new_lanes_under_load(bench: Bench, lanes: LaneSet) -> None:
    async with sending(lanes) as senders:
        await lanes.resharding().change(lambda now: now.with_lanes_added(3, shared=True))
        await lanes.resharding().change(lambda now: now.with_lanes_added(2, shared=True))
    assert stored(bench) == expected(senders)


async def test_a_killed_orchestrator_is_carried_on_from_any_step(bench: Bench, lanes: LaneSet) -> None:
    await lanes.resharding().change(lambda now: now.with_lanes_added(2))
    steps: list[str] = []
    async with sending(lanes) as senders:
        for turn in range(40):
            left = turn
            seen: list[str] = []

            async def die(step: str, seen: list[str] = seen, left: int = left) -> None:
                seen.append(step)
                if len(seen) > left:
                    raise Killed(step)

            wanted = (TWO, THREE) if turn % 2 else (THREE,)
            try:
                await lanes.resharding(die).change(onto(bench, *wanted))
            except Killed:
                steps.append(seen[-1])
            else:
                break
            await lanes.resharding().resume()
            now = await LaneRegistry(bench.database).maps()
            assert now.pending is None
            assert now.in_force.lanes_of(bench.project_id) == wanted
    assert len(steps) > 8
    assert stored(bench) == expected(senders)
    assert sum(sender.refused for sender in senders) == 0


async def test_a_lane_that_dies_at_any_step_changes_no_row(bench: Bench, lanes: LaneSet) -> None:
    await lanes.resharding().change(lambda now: now.with_lanes_added(2))
    deaths = 0
    async with sending(lanes) as senders:
        for turn in range(40):
            seen: list[str] = []

            async def lane_dies(step: str, seen: list[str] = seen, left: int = turn) -> None:
                seen.append(step)
                if len(seen) == left + 1:
                    for number in list(lanes.running):
                        await lanes.kill_and_restart(number)

            wanted = (TWO, THREE) if turn % 2 else (THREE,)
            await lanes.resharding(lane_dies).change(onto(bench, *wanted))
            if len(seen) <= turn:
                break
            deaths += 1
    assert deaths > 8
    assert stored(bench) == expected(senders)


async def test_what_a_fenced_lane_refuses_its_successor_does(bench: Bench, lanes: LaneSet) -> None:
    await lanes.resharding().change(lambda now: now.with_lanes_added(2))
    await lanes.resharding().change(onto(bench, TWO))
    fenced: list[Lane] = []

    async def replaced_unheard(step: str) -> None:
        if step != f"lane {TWO} before giving up" or fenced:
            return
        fenced.append(lanes.running.pop(TWO))
        await lanes.start([TWO])
        successor, lanes.running[TWO] = lanes.running[TWO], fenced[0]
        asyncio.get_running_loop().call_later(0.2, lanes.running.update, {TWO: successor})

    async with sending(lanes) as senders:
        await lanes.resharding(replaced_unheard).change(onto(bench, THREE))
    await fenced[0].stop()
    assert (await LaneRegistry(bench.database).lane_map()).lanes_of(bench.project_id) == (THREE,)
    assert stored(bench) == expected(senders)


async def test_lanes_killed_at_odd_moments_of_a_move_lose_nothing(bench: Bench, lanes: LaneSet) -> None:
    await lanes.resharding().change(lambda now: now.with_lanes_added(2))
    async with sending(lanes) as senders:
        for delay in (0.0, 0.01, 0.03, 0.06, 0.1, 0.2):
            wanted = (TWO,) if delay in {0.0, 0.03, 0.1} else (TWO, THREE)
            moving = asyncio.create_task(lanes.resharding().change(onto(bench, *wanted)))
            await asyncio.sleep(delay)
            await lanes.kill_and_restart(TWO)
            await moving
    assert stored(bench) == expected(senders)


async def test_replaying_every_lane_from_the_start_after_moves_changes_no_row(bench: Bench, lanes: LaneSet) -> None:
    async with sending(lanes) as senders:
        await lanes.resharding().change(lambda now: now.with_lanes_added(2))
        for wanted in ((TWO,), (TWO, THREE), (LaneNumber(0),), (THREE, TWO)):
            await lanes.resharding().change(onto(bench, *wanted))
    before = bench.rows("observations"), bench.rows("traces")
    for number in list(lanes.running):
        await lanes.kill(number)
        await LaneRegistry(bench.database).rewind(number)
        await lanes.start([number])
    await lanes.flushed()
    assert (bench.rows("observations"), bench.rows("traces")) == before
    assert stored(bench) == expected(senders)


async def test_a_change_that_takes_too_long_is_given_up_and_its_project_served_again(
    bench: Bench, lanes: LaneSet
) -> None:
    before = await lanes.resharding().change(lambda now: now.with_lanes_added(1))

    async def hang(step: str) -> None:
        if step.endswith("before taking over"):
            await asyncio.Event().wait()

    async with sending(lanes) as senders:
        with pytest.raises(ReshardingFailed):
            await lanes.resharding(hang, patience_seconds=0.5).change(onto(bench, TWO))
        maps = await LaneRegistry(bench.database).maps()
        assert (maps.in_force, maps.pending) == (before, None)
        await senders[0].acknowledgement()
        moved = await lanes.resharding().change(onto(bench, TWO))
        assert moved.version == before.version + 2
    assert stored(bench) == expected(senders)


async def test_a_lane_looks_after_a_change_that_was_cut_short(bench: Bench, lanes: LaneSet) -> None:
    await lanes.resharding().change(lambda now: now.with_lanes_added(1))

    async def die(step: str) -> None:
        if step.endswith("gave up"):
            raise Killed(step)

    with pytest.raises(Killed):
        await lanes.resharding(die).change(onto(bench, TWO))
    (old,) = (await LaneRegistry(bench.database).lane_map()).lanes_of(bench.project_id)
    await lanes.kill_and_restart(old)
    watching = asyncio.create_task(lanes.running[old].handover.watch(lanes.resharding().resume))
    async with sending(lanes) as senders:
        await senders[0].acknowledgement()
    watching.cancel()
    assert (await LaneRegistry(bench.database).lane_map()).lanes_of(bench.project_id) == (TWO,)
    assert stored(bench) == expected(senders)


async def test_two_changes_at_once_are_refused(bench: Bench, lanes: LaneSet) -> None:
    async with LaneMapChanges(bench.database).alone():
        with pytest.raises(ReshardingRunning):
            await lanes.resharding().change(lambda now: now.with_lanes_added(1))


async def test_a_change_that_changes_nothing_makes_no_version(bench: Bench, lanes: LaneSet) -> None:
    before = await LaneRegistry(bench.database).lane_map()
    assert await lanes.resharding().change(lambda now: now.with_shared(bench.project_id)) == before
