"""What a list of traces can be filtered by: the values that occur."""

from datetime import datetime

from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import moment
from storage.clickhouse.connection import ClickHouse

MAX_VALUES = 1000


class TraceFilters:
    """The values in a project's traces from `after`, inclusive, to `before`, exclusive; the most frequent first."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _ENVIRONMENTS = """
        SELECT environment AS value FROM traces FINAL
        WHERE project_id = {project_id:String} AND value != ''
            AND timestamp >= {after:DateTime64(6, 'UTC')} AND timestamp < {before:DateTime64(6, 'UTC')}
        GROUP BY value ORDER BY count() DESC, value LIMIT {limit:UInt32}
    """

    async def environments(self, after: datetime, before: datetime) -> list[str]:
        """The environments that traces name."""
        return await self._values(self._ENVIRONMENTS, after, before)

    _NAMES = """
        SELECT name AS value FROM traces FINAL
        WHERE project_id = {project_id:String} AND value != ''
            AND timestamp >= {after:DateTime64(6, 'UTC')} AND timestamp < {before:DateTime64(6, 'UTC')}
        GROUP BY value ORDER BY count() DESC, value LIMIT {limit:UInt32}
    """

    async def names(self, after: datetime, before: datetime) -> list[str]:
        """The names of traces."""
        return await self._values(self._NAMES, after, before)

    _USERS = """
        SELECT user_id AS value FROM traces FINAL
        WHERE project_id = {project_id:String} AND value != ''
            AND timestamp >= {after:DateTime64(6, 'UTC')} AND timestamp < {before:DateTime64(6, 'UTC')}
        GROUP BY value ORDER BY count() DESC, value LIMIT {limit:UInt32}
    """

    async def users(self, after: datetime, before: datetime) -> list[str]:
        """The users of traces."""
        return await self._values(self._USERS, after, before)

    _TAGS = """
        SELECT arrayJoin(tags) AS value FROM traces FINAL
        WHERE project_id = {project_id:String}
            AND timestamp >= {after:DateTime64(6, 'UTC')} AND timestamp < {before:DateTime64(6, 'UTC')}
        GROUP BY value ORDER BY count() DESC, value LIMIT {limit:UInt32}
    """

    async def tags(self, after: datetime, before: datetime) -> list[str]:
        """The tags of traces."""
        return await self._values(self._TAGS, after, before)

    async def _values(self, sql: str, after: datetime, before: datetime) -> list[str]:
        bound = {"after": moment(after), "before": moment(before), "limit": MAX_VALUES}
        found = await self._clickhouse.read(sql, {"project_id": self._project_id, **bound})
        return [str(value) for value in found["value"].to_pylist()]
