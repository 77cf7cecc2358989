"""What lanes agree on: who owns each one, how far it has flushed, and which lane serves which project."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import LaneFenced, LaneMapMissing, MapNotPending
from heliograph.domain.lanes import LaneMap, LogPosition, RaisedGeneration
from storage.postgres.connection import Database
from storage.postgres.tables.lanes import GenerationRow, LaneMapRow, LaneRow, LaneYieldRow


class LaneMaps(NamedTuple):
    """The map in force and the one that is to follow it, if any."""

    in_force: LaneMap
    pending: LaneMap | None
    has_yielded: bool


class LaneRegistry:
    """Epochs, checkpoints and the lane map."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_epoch(self, lane: LaneNumber) -> int:
        """Become the lane's owner: the returned epoch is newer than every one before it."""
        taking = insert(LaneRow).values(lane=lane, epoch=1)
        taking = taking.on_conflict_do_update(
            index_elements=["lane"], set_={"epoch": LaneRow.epoch + 1, "updated_at": func.now()}
        )
        async with self._database.transaction() as session:
            return (await session.scalars(taking.returning(LaneRow.epoch))).one()

    async def checkpoint(self, lane: LaneNumber) -> LogPosition | None:
        """Return the last position whose rows ClickHouse holds, or nothing before the first flush."""
        query = select(LaneRow.checkpoint_epoch, LaneRow.checkpoint_segment).where(LaneRow.lane == lane)
        async with self._database.transaction() as session:
            row = (await session.execute(query)).one_or_none()
        if row is None or row.checkpoint_epoch is None or row.checkpoint_segment is None:
            return None
        return LogPosition(row.checkpoint_epoch, row.checkpoint_segment)

    async def record_checkpoint(self, lane: LaneNumber, *, epoch: int, position: LogPosition) -> None:
        """Record that ClickHouse holds everything up to a position; an earlier one than recorded changes nothing.

        Raises:
            LaneFenced: the lane has an owner of a newer epoch, or the registry does not know the lane.
        """
        is_ahead = or_(LaneRow.checkpoint_segment.is_(None), LaneRow.checkpoint_segment < position.segment)
        advancing = (
            update(LaneRow)
            .where(LaneRow.lane == lane, LaneRow.epoch == epoch, is_ahead)
            .values(checkpoint_epoch=position.epoch, checkpoint_segment=position.segment, updated_at=func.now())
        )
        async with self._database.transaction() as session:
            if await session.scalar(advancing.returning(LaneRow.lane)) is not None:
                return
            owner = await session.scalar(select(LaneRow.epoch).where(LaneRow.lane == lane))
        if owner != epoch:
            raise LaneFenced(lane, epoch)

    async def lane_map(self) -> LaneMap:
        """Return the map in force; raises LaneMapMissing before the first migration."""
        return (await self.maps()).in_force

    async def maps(self, lane: LaneNumber | None = None) -> LaneMaps:
        """Return the map in force, the pending one, and whether a lane has given up what the latter takes from it."""
        published = select(func.max(LaneMapRow.version)).where(LaneMapRow.state == "published").scalar_subquery()
        query = select(LaneMapRow).where(or_(LaneMapRow.version == published, LaneMapRow.state == "pending"))
        async with self._database.transaction() as session:
            rows = {row.state: lane_map_from(row) for row in await session.scalars(query)}
            pending = rows.get("pending")
            given_up = select(LaneYieldRow).where(
                LaneYieldRow.lane == lane, LaneYieldRow.map_version == (pending.version if pending else None)
            )
            has_yielded = await session.scalar(given_up) is not None
        if "published" not in rows:
            raise LaneMapMissing
        return LaneMaps(rows["published"], pending, has_yielded)

    async def every_map(self) -> list[LaneMap]:
        """Return every version of the map, oldest first: they tell where records of a project may lie."""
        async with self._database.transaction() as session:
            rows = await session.scalars(select(LaneMapRow).order_by(LaneMapRow.version))
            return [lane_map_from(row) for row in rows]

    async def generations(self, lane: LaneNumber) -> list[RaisedGeneration]:
        """Return what was raised for the rows of a lane, and from which segments on."""
        query = select(GenerationRow).where(GenerationRow.lane == lane)
        async with self._database.transaction() as session:
            return [
                RaisedGeneration(ProjectId(row.project_id), row.from_segment, row.generation)
                for row in await session.scalars(query)
            ]

    async def raise_generations(
        self, lane: LaneNumber, raised: Sequence[RaisedGeneration], *, epoch: int, map_version: int | None = None
    ) -> None:
        """Record generations; one that is recorded already keeps its segment.

        Raises:
            LaneFenced: the lane has an owner of a newer epoch.
            MapNotPending: they belong to a map that was published or given up.
        """
        columns = [{**one._asdict(), "lane": lane, "map_version": map_version} for one in raised]
        async with self._database.transaction() as session:
            await self._own(session, lane, epoch)
            if map_version is not None:
                await require_pending(session, map_version)
            if columns:
                await session.execute(insert(GenerationRow).values(columns).on_conflict_do_nothing())

    async def record_yield(self, lane: LaneNumber, map_version: int, *, epoch: int, position: LogPosition) -> None:
        """Record that a lane has given up what a pending map takes from it, and has flushed up to a position.

        Raises:
            LaneFenced: the lane has an owner of a newer epoch, which takes events that this one would refuse.
            MapNotPending: the map was published or given up.
        """
        await self.record_checkpoint(lane, epoch=epoch, position=position)
        giving_up = insert(LaneYieldRow).values(map_version=map_version, lane=lane, segment=position.segment)
        async with self._database.transaction() as session:
            await self._own(session, lane, epoch)
            await require_pending(session, map_version)
            await session.execute(giving_up.on_conflict_do_nothing())

    async def rewind(self, lane: LaneNumber) -> None:
        """Forget the lane's checkpoint: its next owner replays the log from the start, which changes no row."""
        forgetting = update(LaneRow).where(LaneRow.lane == lane)
        async with self._database.transaction() as session:
            await session.execute(forgetting.values(checkpoint_epoch=None, checkpoint_segment=None))

    async def _own(self, session: AsyncSession, lane: LaneNumber, epoch: int) -> None:
        # The lock makes the next owner wait, which then reads what this one recorded.
        owner = await session.scalar(select(LaneRow.epoch).where(LaneRow.lane == lane).with_for_update())
        if owner != epoch:
            raise LaneFenced(lane, epoch)


def lane_map_from(row: LaneMapRow) -> LaneMap:
    """Make the domain's map of a row."""
    dedicated = {
        ProjectId(project_id): tuple(LaneNumber(lane) for lane in lanes) for project_id, lanes in row.dedicated.items()
    }
    return LaneMap(row.version, row.count, dedicated, tuple(LaneNumber(lane) for lane in row.shared))


async def require_pending(session: AsyncSession, map_version: int) -> None:
    """Return with the pending map locked against being published or given up; raises MapNotPending."""
    query = select(LaneMapRow.state).where(LaneMapRow.version == map_version).with_for_update()
    if await session.scalar(query) != "pending":
        raise MapNotPending(map_version)
