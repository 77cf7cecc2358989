"""What one observation, or one score, contributes to its trace: few plain values, cheap to hold in great number."""

from collections.abc import Callable
from itertools import repeat
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain import costs


class ObservationContribution(NamedTuple):
    """Field names are column names of `observations`; times in microseconds, cost in 10⁻¹² dollars."""

    id: str
    parent_observation_id: str
    type: str
    name: str
    start_time: int
    end_time: int | None
    level: str
    environment: str
    release: str
    version: str
    is_app_root: bool
    trace_name: str
    user_id: str
    session_id: str
    tags: tuple[str, ...]
    public: bool | None
    trace_metadata: tuple[tuple[str, str], ...]
    input_preview: str
    output_preview: str
    provided_model_name: str
    input_tokens: int
    output_tokens: int
    total_tokens: int
    total_cost: int
    placed_at: int
    created_at: int
    updated_at: int
    row_version: int


class ScoreContribution(NamedTuple):
    """Field names are column names of `scores`."""

    id: str
    name: str
    data_type: str
    value: float
    string_value: str
    placed_at: int
    created_at: int
    updated_at: int
    row_version: int


def observation_contributions(table: pa.Table) -> list[ObservationContribution]:
    """One contribution for each row, in row order."""
    return list(map(ObservationContribution._make, zip(*_columns(table, ObservationContribution), strict=True)))


def score_contributions(table: pa.Table) -> list[ScoreContribution]:
    """One contribution for each row, in row order."""
    return list(map(ScoreContribution._make, zip(*_columns(table, ScoreContribution), strict=True)))


def _columns(table: pa.Table, shape: type[ObservationContribution] | type[ScoreContribution]) -> list[Any]:
    return [plain_values(table.column(name)) for name in shape._fields]


def plain_values(column: pa.ChunkedArray) -> Any:
    """A column as plain Python values: times as microseconds, decimals as cost units, lists and maps as tuples."""
    type_ = column.type
    if pa.types.is_timestamp(type_):
        return column.cast(pa.int64()).to_pylist()
    if pa.types.is_decimal(type_):
        return costs.to_units(column).tolist()
    if pa.types.is_map(type_) or pa.types.is_list(type_):
        return _nested(column)
    return column.to_pylist()


def _nested(column: pa.ChunkedArray) -> Any:
    # Nearly all rows of nearly all batches hold nothing here, and converting nothing is what would cost most.
    if not any(len(_items(chunk)) for chunk in column.chunks):
        return repeat((), len(column))
    freeze: Callable[[Any], tuple[Any, ...]] = lambda items: tuple(items or ())  # noqa: E731 - shorter than a function
    return map(freeze, column.to_pylist())


def _items(chunk: pa.Array) -> pa.Array:
    return chunk.items if pa.types.is_map(chunk.type) else pc.list_flatten(chunk)
