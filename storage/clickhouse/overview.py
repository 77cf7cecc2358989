"""Aggregates over time: traffic, cost, latency and errors of one project."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from string import Template
from typing import Any

import pyarrow as pa

from heliograph.domain.filters import Expression
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import Where, moment, narrowed
from storage.clickhouse.columns import TRACE_COLUMNS
from storage.clickhouse.connection import ClickHouse

# What traces and observations call the same.
_COLUMNS = narrowed(TRACE_COLUMNS, "environment")


class Overview:
    """Figures of one project for a period: from `after`, inclusive, to `before`, exclusive.

    They can be narrowed by conditions on the environment. Costs are US dollars as float64, latencies milliseconds.
    """

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _TOTALS = Template("""
        SELECT count() AS traces, sum(observation_count) AS observations, sum(error_count) AS errors,
            sum(warning_count) AS warnings, countIf(error_count > 0) AS failed_traces,
            uniqIf(user_id, user_id != '') AS users, uniqIf(session_id, session_id != '') AS sessions,
            sum(total_tokens) AS tokens, toFloat64(sum(total_cost)) AS cost,
            quantileOrNull(0.5)(latency_ms) AS latency_p50_ms, quantileOrNull(0.95)(latency_ms) AS latency_p95_ms
        FROM traces FINAL
        WHERE project_id = {project_id:String}
            AND timestamp >= {after:DateTime64(6, 'UTC')} AND timestamp < {before:DateTime64(6, 'UTC')}
            $where
    """)

    async def totals(self, after: datetime, before: datetime, *, where: Sequence[Expression] = ()) -> pa.Table:
        """One row: traces, observations, errors, warnings, failed_traces, users, sessions, tokens, cost, latencies."""
        return await self._read(self._TOTALS, where, _span(after, before))

    _OVER_TIME = Template("""
        SELECT toDateTime64(toStartOfInterval(timestamp, toIntervalSecond({seconds:UInt32})), 0, 'UTC') AS time,
            count() AS traces, sum(observation_count) AS observations, sum(error_count) AS errors,
            sum(total_tokens) AS tokens, toFloat64(sum(total_cost)) AS cost
        FROM traces FINAL
        WHERE project_id = {project_id:String}
            AND timestamp >= {after:DateTime64(6, 'UTC')} AND timestamp < {before:DateTime64(6, 'UTC')}
            $where
        GROUP BY time
        ORDER BY time WITH FILL
            FROM toDateTime64(
                toStartOfInterval({after:DateTime64(6, 'UTC')}, toIntervalSecond({seconds:UInt32})), 0, 'UTC')
            TO toDateTime64({before:DateTime64(6, 'UTC')}, 0, 'UTC')
            STEP toIntervalSecond({seconds:UInt32})
    """)

    async def over_time(
        self, after: datetime, before: datetime, bucket: timedelta, *, where: Sequence[Expression] = ()
    ) -> pa.Table:
        """One row a bucket, empty ones too: time, traces, observations, errors, tokens, cost."""
        return await self._read(self._OVER_TIME, where, _span(after, before, bucket))

    _LATENCY = Template("""
        SELECT toDateTime64(toStartOfInterval(timestamp, toIntervalSecond({seconds:UInt32})), 0, 'UTC') AS time,
            quantiles(0.5, 0.9, 0.95, 0.99)(latency_ms) AS latencies,
            latencies[1] AS p50, latencies[2] AS p90, latencies[3] AS p95, latencies[4] AS p99
        FROM traces FINAL
        WHERE project_id = {project_id:String} AND latency_ms IS NOT NULL
            AND timestamp >= {after:DateTime64(6, 'UTC')} AND timestamp < {before:DateTime64(6, 'UTC')}
            $where
        GROUP BY time
        ORDER BY time
    """)

    async def latency_percentiles(
        self, after: datetime, before: datetime, bucket: timedelta, *, where: Sequence[Expression] = ()
    ) -> pa.Table:
        """One row a bucket that has traces: time, p50, p90, p95, p99 of their latencies."""
        found = await self._read(self._LATENCY, where, _span(after, before, bucket))
        return found.drop_columns(["latencies"])

    # Four bands to a factor of ten: as fine as a picture needs, and few enough to be one.
    _BANDS = Template("""
        SELECT toDateTime64(toStartOfInterval(timestamp, toIntervalSecond({seconds:UInt32})), 0, 'UTC') AS time,
            floor(log10(greatest(latency_ms, 1)) * 4) AS band,
            exp10(band / 4) AS low, exp10((band + 1) / 4) AS high, count() AS traces
        FROM traces FINAL
        WHERE project_id = {project_id:String} AND latency_ms IS NOT NULL
            AND timestamp >= {after:DateTime64(6, 'UTC')} AND timestamp < {before:DateTime64(6, 'UTC')}
            $where
        GROUP BY time, band
        ORDER BY time, band
    """)

    async def latency_bands(
        self, after: datetime, before: datetime, bucket: timedelta, *, where: Sequence[Expression] = ()
    ) -> pa.Table:
        """One row a bucket and band of latencies with traces: time, low and high (milliseconds), traces."""
        return (await self._read(self._BANDS, where, _span(after, before, bucket))).drop_columns(["band"])

    _BY_MODEL = Template("""
        SELECT provided_model_name AS model, count() AS observations, countIf(level = 'ERROR') AS errors,
            sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sum(total_tokens) AS tokens,
            toFloat64(sum(total_cost)) AS cost,
            quantileOrNull(0.95)(dateDiff('microsecond', start_time, end_time) / 1e3) AS latency_p95_ms
        FROM observations FINAL
        WHERE project_id = {project_id:String} AND provided_model_name != ''
            AND start_time >= {after:DateTime64(6, 'UTC')} AND start_time < {before:DateTime64(6, 'UTC')}
            $where
        GROUP BY model
        ORDER BY sum(total_cost) DESC, model
    """)

    async def by_model(self, after: datetime, before: datetime, *, where: Sequence[Expression] = ()) -> pa.Table:
        """One row a model, the dearest first: model, observations, errors, tokens, cost, latency."""
        return await self._read(self._BY_MODEL, where, _span(after, before))

    _COST_BY_MODEL = Template("""
        SELECT toDateTime64(toStartOfInterval(start_time, toIntervalSecond({seconds:UInt32})), 0, 'UTC') AS time,
            provided_model_name AS model, toFloat64(sum(total_cost)) AS cost
        FROM observations FINAL
        WHERE project_id = {project_id:String} AND provided_model_name != ''
            AND start_time >= {after:DateTime64(6, 'UTC')} AND start_time < {before:DateTime64(6, 'UTC')}
            $where
        GROUP BY time, model
        ORDER BY time, model
    """)

    async def cost_by_model_over_time(
        self, after: datetime, before: datetime, bucket: timedelta, *, where: Sequence[Expression] = ()
    ) -> pa.Table:
        """One row a bucket and model that was used in it: time, model, cost."""
        return await self._read(self._COST_BY_MODEL, where, _span(after, before, bucket))

    # The total is the sum of the others.
    _USAGE = Template("""
        SELECT toDateTime64(toStartOfInterval(start_time, toIntervalSecond({seconds:UInt32})), 0, 'UTC') AS time,
            kind, sum(amount) AS tokens
        FROM observations FINAL ARRAY JOIN mapKeys(usage_details) AS kind, mapValues(usage_details) AS amount
        WHERE project_id = {project_id:String} AND kind != 'total'
            AND start_time >= {after:DateTime64(6, 'UTC')} AND start_time < {before:DateTime64(6, 'UTC')}
            $where
        GROUP BY time, kind
        ORDER BY time, kind
    """)

    async def token_kinds_over_time(
        self, after: datetime, before: datetime, bucket: timedelta, *, where: Sequence[Expression] = ()
    ) -> pa.Table:
        """One row a bucket and kind of usage in it: time, kind, tokens."""
        return await self._read(self._USAGE, where, _span(after, before, bucket))

    async def _read(self, template: Template, where: Sequence[Expression], span: dict[str, Any]) -> pa.Table:
        asked = Where.of(_COLUMNS, where, project_id=self._project_id, **span)
        return await self._clickhouse.read(template.substitute(where=asked.sql), asked.parameters)


def _span(after: datetime, before: datetime, bucket: timedelta | None = None) -> dict[str, Any]:
    seconds = {} if bucket is None else {"seconds": max(1, int(bucket.total_seconds()))}
    return {"after": moment(after), "before": moment(before), **seconds}
