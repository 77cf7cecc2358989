"""Rows as the lanes write them, complete by default: a test names only the values that it is about."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from heliograph.domain import tables

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_versions = itertools.count(1)


def observation(project_id: str, trace_id: str, observation_id: str, **values: Any) -> dict[str, Any]:
    """One row of `observations`: a span of one second at noon that is the root of its trace."""
    start = values.get("start_time", NOON)
    row = {
        "project_id": project_id,
        "trace_id": trace_id,
        "id": observation_id,
        "type": "SPAN",
        "name": "work",
        "start_time": start,
        "end_time": start + timedelta(seconds=1),
        "level": "DEFAULT",
        "environment": "default",
        "source": "otel",
    }
    return _complete(tables.OBSERVATIONS, row | values, placed_at=start)


def trace(project_id: str, trace_id: str, **values: Any) -> dict[str, Any]:
    """One row of `traces`: a trace at noon that took one second."""
    at = values.get("timestamp", NOON)
    row = {
        "project_id": project_id,
        "id": trace_id,
        "timestamp": at,
        "name": "request",
        "environment": "default",
        "end_time": at + timedelta(seconds=1),
        "latency_ms": 1000.0,
        "level": "DEFAULT",
    }
    return _complete(tables.TRACES, row | values, placed_at=at)


def score(project_id: str, score_id: str, **values: Any) -> dict[str, Any]:
    """One row of `scores`: a numeric score of 0.5 at noon."""
    at = values.get("timestamp", NOON)
    row = {
        "project_id": project_id,
        "id": score_id,
        "timestamp": at,
        "name": "quality",
        "data_type": "NUMERIC",
        "source": "API",
        "value": 0.5,
        "environment": "default",
    }
    return _complete(tables.SCORES, row | values, placed_at=at)


def table(name: str, rows: Iterable[dict[str, Any]]) -> pa.Table:
    """The rows as the Arrow table that a lane inserts."""
    return pa.Table.from_pylist(list(rows), schema=tables.CLICKHOUSE_TABLES[name])


def _complete(schema: pa.Schema, row: dict[str, Any], *, placed_at: datetime) -> dict[str, Any]:
    written = {"placed_at": placed_at, "created_at": placed_at, "updated_at": placed_at, "row_version": next(_versions)}
    blank = {field.name: None if field.nullable else _blank(field.type) for field in schema}
    return blank | written | row


def _blank(type_: pa.DataType) -> Any:
    if pa.types.is_string(type_):
        return ""
    if pa.types.is_map(type_) or pa.types.is_list(type_):
        return []
    if pa.types.is_boolean(type_):
        return False
    if pa.types.is_decimal(type_):
        return Decimal(0)
    return 0
