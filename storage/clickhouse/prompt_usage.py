"""How the versions of a prompt did in the observations that name them."""

from datetime import datetime

import pyarrow as pa

from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import moment
from storage.clickhouse.connection import ClickHouse


class PromptUsage:
    """The use of one project's prompts in a period: from `after`, inclusive, to `before`, exclusive."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _BY_VERSION = """
        SELECT prompt_version AS version, count() AS observations, uniq(trace_id) AS traces,
            countIf(level = 'ERROR') AS errors, avg(input_tokens) AS input_tokens, avg(output_tokens) AS output_tokens,
            toFloat64(avg(total_cost)) AS cost, max(start_time) AS last_at,
            quantileOrNull(0.5)(dateDiff('microsecond', start_time, end_time) / 1e3) AS latency_p50_ms,
            quantileOrNull(0.95)(dateDiff('microsecond', start_time, end_time) / 1e3) AS latency_p95_ms
        FROM observations FINAL
        WHERE project_id = {project_id:String} AND prompt_name = {name:String}
            AND start_time >= {after:DateTime64(6, 'UTC')} AND start_time < {before:DateTime64(6, 'UTC')}
        GROUP BY version ORDER BY version DESC
    """

    async def by_version(self, name: str, after: datetime, before: datetime) -> pa.Table:
        """One row a version: counts, and per observation mean tokens, mean cost in US dollars, latency."""
        period = {"after": moment(after), "before": moment(before)}
        return await self._clickhouse.read(self._BY_VERSION, {"project_id": self._project_id, "name": name, **period})

    _BY_NAME = """
        SELECT prompt_name AS name, count() AS observations FROM observations FINAL
        WHERE project_id = {project_id:String} AND prompt_name IN {names:Array(String)}
            AND start_time >= {after:DateTime64(6, 'UTC')} AND start_time < {before:DateTime64(6, 'UTC')}
        GROUP BY name
    """

    async def by_name(self, names: list[str], after: datetime, before: datetime) -> dict[str, int]:
        """How many observations used each of the prompts, whichever version; absent where none did."""
        period = {"after": moment(after), "before": moment(before)}
        bound = {"project_id": self._project_id, "names": names, **period}
        found = await self._clickhouse.read(self._BY_NAME, bound)
        return dict(zip(found["name"].to_pylist(), found["observations"].to_pylist(), strict=True))
