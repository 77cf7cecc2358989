"""What many scores say together: per name, as a distribution, and over time."""

from collections.abc import Sequence
from datetime import timedelta
from string import Template
from typing import Any

import pyarrow as pa

from heliograph.domain.filters import Condition
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import Where
from storage.clickhouse.columns import SCORE_COLUMNS
from storage.clickhouse.connection import ClickHouse

MAX_NAMES = 200
MAX_LABELS = 30


class ScoreFigures:
    """Aggregates over the scores of one project that meet conditions; text scores and corrections have no numbers."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _NAMES = Template("""
        SELECT name, data_type, count() AS n, avg(value) AS mean, max(timestamp) AS last_at,
            arraySort(groupUniqArray(5)(source)) AS sources, uniqIf(evaluator_version, evaluator_version != '')
            AS versions
        FROM scores FINAL WHERE project_id = {project_id:String} $where
        GROUP BY name, data_type ORDER BY n DESC, name, data_type LIMIT {limit:UInt32}
    """)

    async def names(self, conditions: Sequence[Condition]) -> pa.Table:
        """One row a name and data type, the most frequent first: n, mean, last_at, sources, versions."""
        return await self._read(self._NAMES, conditions, limit=MAX_NAMES)

    # The highest value belongs to the last bin; equal values make one bin.
    _NUMBERS = Template("""
        WITH bounds AS (
            SELECT min(value) AS low, max(value) AS high FROM scores FINAL
            WHERE project_id = {project_id:String} AND data_type = 'NUMERIC' $where
        ), (SELECT low FROM bounds) AS low, (SELECT high FROM bounds) AS high,
            if(high > low, (high - low) / {bins:UInt32}, 1) AS width
        SELECT least(floor((value - low) / width), toFloat64({bins:UInt32} - 1)) AS bin,
            any(low) + bin * any(width) AS start, start + any(width) AS end, count() AS n
        FROM scores FINAL WHERE project_id = {project_id:String} AND data_type = 'NUMERIC' $where
        GROUP BY bin ORDER BY bin
    """)

    async def histogram(self, conditions: Sequence[Condition], bins: int = 20) -> pa.Table:
        """Numeric scores in bins of equal width, empty ones left out: start, end, n."""
        found = await self._read(self._NUMBERS, conditions, bins=bins)
        return found.select(["start", "end", "n"])

    _LABELS = Template("""
        SELECT string_value AS label, count() AS n
        FROM scores FINAL WHERE project_id = {project_id:String} AND string_value != '' $where
        GROUP BY label ORDER BY n DESC, label LIMIT {limit:UInt32}
    """)

    async def labels(self, conditions: Sequence[Condition]) -> pa.Table:
        """Categories and truth values with how often they were given, the most frequent first: label, n."""
        return await self._read(self._LABELS, conditions, limit=MAX_LABELS)

    _TREND = Template("""
        SELECT toDateTime64(toStartOfInterval(timestamp, toIntervalSecond({seconds:UInt32})), 0, 'UTC') AS time,
            name, count() AS n, avg(value) AS mean, if(n > 1, stddevSamp(value), 0) AS deviation
        FROM scores FINAL
        WHERE project_id = {project_id:String} AND data_type IN ('NUMERIC', 'BOOLEAN') $where
        GROUP BY time, name ORDER BY time, name
    """)

    async def trend(self, conditions: Sequence[Condition], bucket: timedelta) -> pa.Table:
        """Means of numbers and truth values, one row a bucket and name: time, name, n, mean, deviation."""
        return await self._read(self._TREND, conditions, seconds=max(1, int(bucket.total_seconds())))

    _VERSIONS = Template("""
        SELECT evaluator_version AS version, name, min(timestamp) AS time, count() AS n
        FROM scores FINAL WHERE project_id = {project_id:String} AND evaluator_version != '' $where
        GROUP BY version, name ORDER BY time, name, version LIMIT {limit:UInt32}
    """)

    async def versions(self, conditions: Sequence[Condition]) -> pa.Table:
        """When each version of an evaluator was first seen: version, name, time, n."""
        return await self._read(self._VERSIONS, conditions, limit=MAX_NAMES)

    async def _read(self, template: Template, conditions: Sequence[Condition], **bound: Any) -> pa.Table:
        where = Where.of(SCORE_COLUMNS, conditions, project_id=self._project_id, **bound)
        return await self._clickhouse.read(template.substitute(where=where.sql), where.parameters)
