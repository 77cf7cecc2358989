"""The steps of a change of the lane map, each of them one transaction that may be repeated."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from sqlalchemy import func, or_, select, update

from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import ReshardingRunning
from heliograph.domain.lanes import LaneMap
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneMaps, LaneRegistry, lane_map_from, require_pending
from storage.postgres.tables.lanes import GenerationRow, LaneMapRow, LaneYieldRow
from storage.postgres.tables.projects import ProjectRow


class LaneMapChanges:
    """Proposes, publishes and gives up versions of the lane map. No version is used twice."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._registry = LaneRegistry(database)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Keep other processes from changing the map meanwhile; raises ReshardingRunning."""
        async with self._database.lock("change of the lane map") as lock:
            if lock is None:
                raise ReshardingRunning
            yield

    async def maps(self) -> LaneMaps:
        """Return the map in force and the pending one."""
        return await self._registry.maps()

    async def propose(self, change: Callable[[LaneMap], LaneMap]) -> LaneMap:
        """Record what the map in force is to become, as pending; the one in force when nothing would change."""
        in_force = (await self._registry.maps()).in_force
        wanted = change(in_force)
        if wanted == in_force:
            return in_force
        async with self._database.transaction() as session:
            version = (await session.scalars(select(func.max(LaneMapRow.version)))).one() + 1
            row = LaneMapRow(
                version=version,
                count=wanted.count,
                dedicated={project_id: list(lanes) for project_id, lanes in wanted.dedicated.items()},
                shared=list(wanted.shared),
                state="pending",
            )
            session.add(row)
            return lane_map_from(row)

    async def publish(self, version: int) -> None:
        """Put a pending map in force; raises MapNotPending."""
        await self._end(version, "published")

    async def give_up(self, version: int) -> None:
        """Forget a pending map; raises MapNotPending."""
        await self._end(version, "given up")

    async def yielded(self, version: int) -> set[LaneNumber]:
        """Return the lanes that have given up what a map takes from them."""
        query = select(LaneYieldRow.lane).where(LaneYieldRow.map_version == version)
        async with self._database.transaction() as session:
            return {LaneNumber(lane) for lane in await session.scalars(query)}

    async def project_ids(self) -> list[ProjectId]:
        """Return every project, the deleted ones too, since their log is still there."""
        async with self._database.transaction() as session:
            return [ProjectId(project_id) for project_id in await session.scalars(select(ProjectRow.id))]

    async def next_generations(self, project_ids: Iterable[ProjectId], version: int) -> dict[ProjectId, int]:
        """Return for each project a generation above all that its lanes wrote before a map's version.

        Repeated, it gives the same: what was raised for this version does not count.
        """
        wanted = list(project_ids)
        earlier = or_(GenerationRow.map_version.is_(None), GenerationRow.map_version != version)
        query = (
            select(GenerationRow.project_id, func.max(GenerationRow.generation))
            .where(GenerationRow.project_id.in_(wanted), earlier)
            .group_by(GenerationRow.project_id)
        )
        async with self._database.transaction() as session:
            highest = {ProjectId(project_id): generation for project_id, generation in await session.execute(query)}
        return {project_id: highest.get(project_id, 0) + 1 for project_id in wanted}

    async def _end(self, version: int, state: str) -> None:
        ending = update(LaneMapRow).where(LaneMapRow.version == version).values(state=state)
        async with self._database.transaction() as session:
            await require_pending(session, version)
            await session.execute(ending)
