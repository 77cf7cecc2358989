"""A sample of the traces of a period, as a scatter plot shows them."""

from collections.abc import Sequence
from string import Template

import pyarrow as pa

from heliograph.domain.filters import Expression
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import Where
from storage.clickhouse.columns import TRACE_COLUMNS
from storage.clickhouse.connection import ClickHouse

MAX_POINTS = 1_500


class Pulse:
    """The traces of one project as points; costs are US dollars as float64."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    # By the hash of the id, so that the same traces are shown each time.
    _POINTS = Template("""
        SELECT timestamp AS time, latency_ms, toFloat64(total_cost) AS cost, level FROM traces FINAL
        WHERE project_id = {project_id:String} $where
        ORDER BY cityHash64(id) LIMIT {limit:UInt32}
    """)

    async def points(self, conditions: Sequence[Expression]) -> pa.Table:
        """Columns time, latency_ms, cost and level of at most `MAX_POINTS` traces that meet all conditions."""
        where = Where.of(TRACE_COLUMNS, conditions, project_id=self._project_id, limit=MAX_POINTS)
        return await self._clickhouse.read(self._POINTS.substitute(where=where.sql), where.parameters)
