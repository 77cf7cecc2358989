"""What is older than a project keeps."""

from datetime import datetime

from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import moment
from storage.clickhouse.connection import ClickHouse


class ExpiredRows:
    """The traces and scores of one project that are older than a time, the oldest first."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    # No request to delete names an id that is empty or holds a NUL.
    _TRACES = """
        SELECT id FROM traces FINAL
        WHERE project_id = {project:String} AND timestamp < {before:DateTime64(6, 'UTC')}
            AND (end_time IS NULL OR end_time < {before:DateTime64(6, 'UTC')})
            AND id != '' AND position(id, char(0)) = 0
        ORDER BY timestamp, id LIMIT {most:UInt32}
    """

    async def traces(self, before: datetime, most: int) -> list[str]:
        """Return traces that began and ended before a time: one that still goes on is kept as a whole.

        Raises:
            Unavailable: ClickHouse does not answer.
        """
        return await self._ids(self._TRACES, before, most)

    _SCORES = """
        SELECT id FROM scores FINAL
        WHERE project_id = {project:String} AND timestamp < {before:DateTime64(6, 'UTC')}
            AND id != '' AND position(id, char(0)) = 0
        ORDER BY timestamp, id LIMIT {most:UInt32}
    """

    async def scores(self, before: datetime, most: int) -> list[str]:
        """Return scores of any subject that were given before a time; raises Unavailable."""
        return await self._ids(self._SCORES, before, most)

    async def _ids(self, sql: str, before: datetime, most: int) -> list[str]:
        values = {"project": self._project_id, "before": moment(before), "most": most}
        found: list[str] = (await self._clickhouse.read(sql, values))["id"].to_pylist()
        return found
