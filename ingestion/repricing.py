"""Stored calls priced anew: their usage, parameters and metadata under the definitions of today."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from heliograph.domain import costs
from heliograph.domain.models import CallCondition, Circumstance
from heliograph.domain.recosts import PLACE_COLUMNS, REPRICED
from heliograph.domain.tables import OBSERVATIONS
from heliograph.domain.usage import TOTAL
from ingestion.managed_prices import managed_models
from ingestion.pricing import PriceBook
from ingestion.tiers import NOTHING, Bill

# What a price is found by.
PRICED_BY = ("provided_model_name", "start_time", "usage_details", "model_parameters", "metadata")


def repriced(rows: pa.Table, prices: PriceBook) -> pa.Table:
    """The rows of calls without provided costs, as `REPRICED`, in row order.

    Args:
        rows: the columns of `PRICED_BY` and of `PLACE_COLUMNS`.
        prices: of the project.
    """
    names = rows["provided_model_name"].to_pylist()
    known = prices.match_all(names, lambda: rows["start_time"].cast(pa.int64()).to_pylist())
    calls = zip(
        known,
        _maps(rows["usage_details"]),
        rows["model_parameters"].to_pylist(),
        _maps(rows["metadata"]),
        strict=True,
    )
    bills = [
        model.price(used, parameters, metadata) if model else NOTHING for model, used, parameters, metadata in calls
    ]
    ids = [model.id if model else "" for model in known]
    places = [rows[name].combine_chunks() for name in PLACE_COLUMNS]
    return pa.table([*places, pa.array(ids, pa.string()), *_billed(bills)], schema=REPRICED)


def needs_metadata(prices: PriceBook) -> bool:
    """Whether what a call costs may depend on its metadata."""
    conditions = (
        condition
        for model in (*prices.models, *managed_models())
        for tier in model.tiers
        for condition in tier.conditions
    )
    return any(
        isinstance(condition, CallCondition) and condition.source is Circumstance.METADATA for condition in conditions
    )


def _maps(column: pa.ChunkedArray) -> list[dict[str, Any]]:
    maps = column.combine_chunks()
    offsets, keys, items = maps.offsets.to_pylist(), maps.keys.to_pylist(), maps.items.to_pylist()
    return [dict(zip(keys[start:end], items[start:end], strict=True)) for start, end in pairwise(offsets)]


def _billed(bills: list[Bill]) -> list[pa.Array]:
    """Cost details, total, tier and unpriced keys."""
    found = [billed for billed, _, _ in bills]
    offsets = np.zeros(len(bills) + 1, np.int32)
    np.cumsum([len(one) for one in found], out=offsets[1:])
    keys = [key for one in found for key in one]
    amounts = costs.to_decimals(_units([amount for one in found for amount in one.values()]))
    type_ = OBSERVATIONS.field("cost_details").type
    details = pa.MapArray.from_arrays(pa.array(offsets), pa.array(keys, pa.string()), amounts, type=type_)
    totals = costs.to_decimals(_units([one.get(TOTAL, 0) for one in found]))
    tiers = pa.array([tier for _, tier, _ in bills], pa.string())
    unpriced = pa.array([list(missing) for _, _, missing in bills], OBSERVATIONS.field("unpriced_usage").type)
    return [details, totals, tiers, unpriced]


def _units(values: list[int]) -> npt.NDArray[np.int64]:
    return np.array(values, np.int64)
