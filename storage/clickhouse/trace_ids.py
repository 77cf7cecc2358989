"""Which trace a stored observation belongs to."""

from collections.abc import Sequence

from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.connection import ClickHouse


class TraceIds:
    """Looks up observations by their ids alone."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse

    # Without FINAL: no version of an observation leaves its trace.
    _FIND = """
        SELECT id, any(trace_id) AS trace_id FROM observations
        WHERE project_id = {project_id:String} AND id IN {ids:Array(String)}
        GROUP BY id
    """

    async def trace_ids(self, project_id: ProjectId, observation_ids: Sequence[str]) -> dict[str, str]:
        """The trace of each observation that is stored.

        Raises:
            Unavailable: ClickHouse does not answer.
        """
        found = await self._clickhouse.read(self._FIND, {"project_id": project_id, "ids": list(observation_ids)})
        return dict(zip(found["id"].to_pylist(), found["trace_id"].to_pylist(), strict=True))
