"""How far each project's rules have followed the lanes."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.identifiers import LaneNumber, ProjectId
from storage.postgres.connection import Database
from storage.postgres.tables.evaluation_rules import RuleCursorRow
from storage.postgres.tables.lanes import LaneRow


class RuleCursors:
    """The cursors of all projects; segment numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stored(self) -> dict[LaneNumber, int]:
        """Return up to which segment the rows of each lane are stored."""
        query = select(LaneRow.lane, LaneRow.checkpoint_segment).where(LaneRow.checkpoint_segment.is_not(None))
        async with self._database.transaction() as session:
            return {LaneNumber(lane): segment for lane, segment in await session.execute(query) if segment is not None}

    async def all(self) -> dict[tuple[ProjectId, LaneNumber], int]:
        """Return every cursor."""
        query = select(RuleCursorRow.project_id, RuleCursorRow.lane, RuleCursorRow.segment)
        async with self._database.transaction() as session:
            return {
                (ProjectId(project_id), LaneNumber(lane)): segment
                for project_id, lane, segment in await session.execute(query)
            }

    async def advance(self, project_id: ProjectId, lane: LaneNumber, segment: int) -> None:
        """Note that a project's rules have seen all of a lane up to a segment."""
        putting = insert(RuleCursorRow).values(project_id=project_id, lane=lane, segment=segment)
        async with self._database.transaction() as session:
            await session.execute(
                putting.on_conflict_do_update(index_elements=["project_id", "lane"], set_={"segment": segment})
            )
