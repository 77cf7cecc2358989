"""Changes the lane map while events arrive: the steps of a move, in order, each of which may be repeated."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from heliograph import telemetry
from heliograph.domain.errors import HeliographError, InvalidRequest, Overloaded, Unavailable
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import LaneFenced, MapNotPending, ReshardingFailed
from heliograph.domain.lanes import MAX_GENERATION, LaneChange, LaneMap
from storage.postgres.resharding import LaneMapChanges

_log = telemetry.logger("resharding")
_RETRY_SECONDS = 0.5


class MovableLane(Protocol):
    """One lane, wherever it runs; see `Handover`. Raises Unavailable when it cannot be reached."""

    async def give_up(self, map_version: int, projects: Sequence[ProjectId]) -> None: ...

    async def take_over(self, map_version: int, generations: Mapping[ProjectId, int]) -> None: ...

    async def adopt(self) -> int: ...


class Resharding:
    """The orchestrator of a change. It keeps nothing: who resumes it finds the state in PostgreSQL."""

    def __init__(
        self,
        changes: LaneMapChanges,
        lane: Callable[[LaneNumber], MovableLane],
        start_lanes: Callable[[Sequence[LaneNumber]], Awaitable[None]],
        *,
        patience_seconds: float = 60.0,
    ) -> None:
        self._changes = changes
        self._lane = lane
        self._start_lanes = start_lanes
        self._patience_seconds = patience_seconds

    async def change(self, wanted: Callable[[LaneMap], LaneMap]) -> LaneMap:
        """Put another map in force and return it.

        Raises:
            ReshardingRunning: another process changes the map.
            ReshardingFailed: nothing has changed.
        """
        async with self._changes.alone():
            await self._finish()
            before = (await self._changes.maps()).in_force
            after = await self._changes.propose(wanted)
            if after.version > before.version:
                await self._carry_out(LaneChange(before, after))
            return after

    async def resume(self) -> None:
        """Carry on a change that was cut short, if there is one; errors are those of `change`."""
        async with self._changes.alone():
            await self._finish()

    async def _finish(self) -> None:
        maps = await self._changes.maps()
        if maps.pending is not None:
            _log.info("resharding_resumed", map_version=maps.pending.version)
            await self._carry_out(LaneChange(maps.in_force, maps.pending))

    async def _carry_out(self, change: LaneChange) -> None:
        version = change.after.version
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._move(change)
        except (HeliographError, TimeoutError) as error:
            if await self._is_given_up(version):
                await self._adopt(change.after)
                reason = str(error) or f"it took longer than {self._patience_seconds:g} s."
                raise ReshardingFailed(reason) from error
        await self._adopt(change.after)
        _log.info("lane_map_published", map_version=version)

    async def _move(self, change: LaneChange) -> None:
        version, before, after = change.after.version, change.before, change.after
        # 1. New lanes begin to run.
        await self._start_lanes(after.lanes)
        # 2. Whoever may lose a subject refuses it, stores what it has of it, and records that.
        leaving = await self._moving(change)

        async def give_up(number: LaneNumber) -> None:
            await self._lane(number).give_up(version, [each for each in leaving if number in before.lanes_of(each)])

        await _each(change.losing, give_up)
        # 3. Whoever may gain one gives its rows a higher generation and learns what is stored. The projects are read
        #    again: one that was created before step 2 may have rows.
        generations = await self._changes.next_generations(await self._moving(change), version)
        if any(generation > MAX_GENERATION for generation in generations.values()):
            raise InvalidRequest("lanes", "a project has been moved or rewritten too often")

        async def take_over(number: LaneNumber) -> None:
            raised = {each: raised for each, raised in generations.items() if number in after.lanes_of(each)}
            await self._lane(number).take_over(version, raised)

        await _each(change.gaining, take_over)
        # 4. The map takes effect.
        await self._changes.publish(version)

    async def _moving(self, change: LaneChange) -> list[ProjectId]:
        return [project_id for project_id in await self._changes.project_ids() if change.moves(project_id)]

    async def _is_given_up(self, version: int) -> bool:
        """Give a map up, unless it took effect although its answer was lost."""
        try:
            await self._changes.give_up(version)
        except MapNotPending:
            return (await self._changes.maps()).in_force.version < version
        return True

    async def _adopt(self, lane_map: LaneMap) -> None:
        """Tell every lane. One that cannot be told learns it from its senders, or when it restarts."""
        calls = (self._lane(number).adopt() for number in lane_map.lanes)
        for number, result in enumerate(await asyncio.gather(*calls, return_exceptions=True)):
            if isinstance(result, BaseException):
                _log.warning("lane_not_told", lane=number, reason=str(result))


async def _each(lanes: Iterable[LaneNumber], step: Callable[[LaneNumber], Awaitable[None]]) -> None:
    await asyncio.gather(*(_until_done(step, number) for number in sorted(lanes)))


async def _until_done(step: Callable[[LaneNumber], Awaitable[None]], number: LaneNumber) -> None:
    """Repeat a step of a lane that restarts, is busy, or has a successor that will answer in its place."""
    while True:
        try:
            await step(number)
        except (Unavailable, Overloaded, LaneFenced) as error:
            _log.info("lane_asked_again", lane=number, reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return
