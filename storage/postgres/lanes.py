"""What lanes agree on: who owns each one, how far it has flushed, and which lane serves which project."""

from collections.abc import Iterable

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.errors import LaneFenced, LaneMapMissing
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap, LogPosition
from storage.postgres.connection import Database
from storage.postgres.tables.lanes import LaneMapRow, LaneRow
from storage.postgres.tables.projects import ProjectRow


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
        newest = select(LaneMapRow).order_by(LaneMapRow.version.desc()).limit(1)
        async with self._database.transaction() as session:
            row = await session.scalar(newest)
        if row is None:
            raise LaneMapMissing
        return _lane_map(row)

    async def every_map(self) -> list[LaneMap]:
        """Return every version of the map, oldest first: they tell where records of a project may lie."""
        async with self._database.transaction() as session:
            rows = await session.scalars(select(LaneMapRow).order_by(LaneMapRow.version))
            return [_lane_map(row) for row in rows]

    async def create_map(self, count: int) -> None:
        """Publish the first map, unless there is one: its lanes then stay as many as they are."""
        first = insert(LaneMapRow).values(version=1, count=count, dedicated={}).on_conflict_do_nothing()
        async with self._database.transaction() as session:
            await session.execute(first)

    async def generations(self, project_ids: Iterable[ProjectId]) -> dict[ProjectId, int]:
        """Return the generation of every given project that exists."""
        query = select(ProjectRow.id, ProjectRow.generation).where(ProjectRow.id.in_(list(project_ids)))
        async with self._database.transaction() as session:
            return {ProjectId(row.id): row.generation for row in await session.execute(query)}

    async def raised_generations(self) -> dict[ProjectId, int]:
        """Return the generation of every project whose rows were rewritten since its first event."""
        query = select(ProjectRow.id, ProjectRow.generation).where(ProjectRow.generation > 0)
        async with self._database.transaction() as session:
            return {ProjectId(row.id): row.generation for row in await session.execute(query)}

    async def rewind(self, lane: LaneNumber) -> None:
        """Forget the lane's checkpoint: its next owner replays the log from the start, which changes no row."""
        forgetting = update(LaneRow).where(LaneRow.lane == lane)
        async with self._database.transaction() as session:
            await session.execute(forgetting.values(checkpoint_epoch=None, checkpoint_segment=None))


def _lane_map(row: LaneMapRow) -> LaneMap:
    dedicated = {
        ProjectId(project_id): tuple(LaneNumber(lane) for lane in lanes) for project_id, lanes in row.dedicated.items()
    }
    return LaneMap(version=row.version, count=row.count, dedicated=dedicated)
