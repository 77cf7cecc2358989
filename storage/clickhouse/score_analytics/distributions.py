"""How scores are distributed and go over time, each version of an evaluator by itself."""

from string import Template

import pyarrow as pa

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_analytics import DistributionQuestion, TrendQuestion
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.score_analytics.scope import where_of

MAX_VERSIONS = 200
MAX_POINTS = 20_000


class ScoreDistributions:
    """The scores of one project by their values and times."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _VERSIONS = Template("""
        SELECT evaluator_version AS version, data_type, count() AS n, avg(value) AS mean,
            stddevSampStable(value) AS deviation, min(value) AS minimum, max(value) AS maximum,
            quantileExactInclusive(0.5)(value) AS median, min(timestamp) AS first_at, max(timestamp) AS last_at
        FROM scores FINAL WHERE project_id = {project_id:String} AND name = {name:String} $where
        GROUP BY version, data_type ORDER BY first_at, version, data_type LIMIT {limit:UInt32}
    """)

    async def versions(self, asked: DistributionQuestion) -> pa.Table:
        """One row a version and data type: n, mean, deviation, minimum, median, maximum, first_at, last_at."""
        return await self._read(self._VERSIONS, asked)

    _LABELS = Template("""
        SELECT evaluator_version AS version, data_type, string_value AS label, count() AS n
        FROM scores FINAL
        WHERE project_id = {project_id:String} AND name = {name:String} AND string_value != '' AND data_type != 'TEXT'
            $where
        GROUP BY version, data_type, label ORDER BY n DESC, label LIMIT {limit:UInt32} BY version, data_type
    """)

    async def labels(self, asked: DistributionQuestion) -> pa.Table:
        """Categories and truth values, the most frequent of each version first: version, data_type, label, n."""
        return await self._read(self._LABELS, asked)

    # The bins are those of all versions together, so that they can be laid over each other.
    _BINS = Template("""
        WITH bounds AS (
            SELECT min(value) AS low, max(value) AS high FROM scores FINAL
            WHERE project_id = {project_id:String} AND name = {name:String} AND data_type = 'NUMERIC' $where
        ), (SELECT low FROM bounds) AS low, (SELECT high FROM bounds) AS high,
            if(high > low, (high - low) / {bins:UInt32}, 1) AS width
        SELECT evaluator_version AS version, least(floor((value - low) / width), toFloat64({bins:UInt32} - 1)) AS bin,
            any(low) + bin * any(width) AS start, start + any(width) AS end, count() AS n
        FROM scores FINAL
        WHERE project_id = {project_id:String} AND name = {name:String} AND data_type = 'NUMERIC' $where
        GROUP BY version, bin ORDER BY version, bin
    """)

    async def bins(self, asked: DistributionQuestion) -> pa.Table:
        """Numbers in bins of equal width, empty ones left out: version, start, end, n."""
        return (await self._read(self._BINS, asked)).select(["version", "start", "end", "n"])

    _TREND = Template("""
        SELECT toDateTime64(toStartOfInterval(timestamp, toIntervalSecond({seconds:UInt32})), 0, 'UTC') AS time,
            name, evaluator_version AS version, count() AS n, avg(value) AS mean, stddevSampStable(value) AS deviation
        FROM scores FINAL
        WHERE project_id = {project_id:String} AND name IN {names:Array(String)}
            AND data_type IN ('NUMERIC', 'BOOLEAN') $where
        GROUP BY time, name, version ORDER BY time, name, version LIMIT {limit:UInt32}
    """)

    async def trend(self, asked: TrendQuestion) -> pa.Table:
        """Means of numbers and truth values, one row an interval, name and version: n, mean, deviation."""
        bound = {"names": list(asked.names), "seconds": asked.interval_seconds, "limit": MAX_POINTS}
        where = where_of(asked, self._project_id, **bound)
        return await self._clickhouse.read(self._TREND.substitute(where=where.sql), where.parameters)

    async def _read(self, template: Template, asked: DistributionQuestion) -> pa.Table:
        where = where_of(asked, self._project_id, name=asked.name, bins=asked.bins, limit=MAX_VERSIONS)
        return await self._clickhouse.read(template.substitute(where=where.sql), where.parameters)
