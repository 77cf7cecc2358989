"""The columns that scripts select and query, by the domain's names, and what stands behind each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.selections import SelectedTable
from storage.clickhouse.columns import (
    OBSERVATION_COLUMNS,
    SCORE_COLUMNS,
    TRACE_COLUMNS,
    Column,
    Columns,
    Kind,
    of_trace,
)

# How a row came about is nobody's business but the lane's.
_HIDDEN = frozenset({"project_id", "placed_at", "row_version", "merge_state", "ingestion_api_key"})
# Read when they are named: large, or of interest to few.
_ON_REQUEST = frozenset(
    {
        *("input", "output", "input_preview", "output_preview", "metadata", "trace_metadata", "model_parameters"),
        *("usage_details", "provided_usage_details", "cost_details", "provided_cost_details", "unpriced_usage"),
        *("score_values", "score_labels", "pricing_tier", "model_id", "prompt_id", "long_string_value"),
        *("service_name", "service_version", "scope_name", "scope_version"),
        *("ingestion_sdk_name", "ingestion_sdk_version", "created_at", "updated_at"),
    }
)
_LATENCY = "(dateDiff('microsecond', start_time, end_time) / 1e6)"
_FIRST_TOKEN = "(dateDiff('microsecond', start_time, completion_start_time) / 1e6)"  # noqa: S105 - of a model


@dataclass(frozen=True)
class Exposed:
    """What can be asked of one table.

    Args:
        columns: an expression by the name of each column.
        cheap: the names of those that are read unless others are chosen.
        filters: what a filter may name.
        time: the column of a row's time.
        order: newest first, without ties.
    """

    columns: Mapping[str, str]
    cheap: tuple[str, ...]
    filters: Columns
    time: str
    order: str

    def projection(self, names: Iterable[str]) -> str:
        """The SELECT list of these columns, which must be known."""
        return ", ".join(f"{self.columns[name]} AS `{name}`" for name in names)


def _expression(field: pa.Field) -> str:
    if field.type == tables.COST:
        return f"toFloat64({field.name})"
    if field.type == tables.COST_MAP:
        return f"CAST({field.name}, 'Map(String, Float64)')"
    return str(field.name)


def _exposed(schema: pa.Schema, filters: Columns, *, time: str, order: str, **computed: str) -> Exposed:
    columns = {field.name: _expression(field) for field in schema if field.name not in _HIDDEN}
    return Exposed(
        columns | computed, tuple(name for name in columns if name not in _ON_REQUEST), filters, time=time, order=order
    )


_SCORE_FILTERS: Columns = {
    **SCORE_COLUMNS,
    "evaluatorVersion": Column("evaluator_version", Kind.TEXT),
    **of_trace("traceName", "userId", "tags", "traceTags"),
}

EXPOSED: Mapping[SelectedTable, Exposed] = {
    SelectedTable.OBSERVATIONS: _exposed(
        tables.OBSERVATIONS,
        OBSERVATION_COLUMNS,
        time="start_time",
        order="start_time DESC, trace_id DESC, id DESC",
        latency=_LATENCY,
        time_to_first_token=_FIRST_TOKEN,
        model="provided_model_name",
        cost="toFloat64(total_cost)",
    ),
    SelectedTable.TRACES: _exposed(
        tables.TRACES,
        TRACE_COLUMNS,
        time="timestamp",
        order="timestamp DESC, id DESC",
        latency="(latency_ms / 1000)",
        cost="toFloat64(total_cost)",
    ),
    SelectedTable.SCORES: _exposed(tables.SCORES, _SCORE_FILTERS, time="timestamp", order="timestamp DESC, id DESC"),
}
