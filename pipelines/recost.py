"""Recost: stored calls are priced by the definitions of today, first to tell what that changes, then to store it.

See docs/decisions/0013.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from actors.directory import RayLane
from heliograph.domain import costs
from heliograph.domain.backfills import Backfill, DayPart, PartReport
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.recosts import COST_COLUMNS, PLACE_COLUMNS, ModelCosts, RecostReport, RecostRequest
from heliograph.settings import Settings
from ingestion.project_prices import ProjectPrices
from ingestion.repricing import PRICED_BY, needs_metadata, repriced
from pipelines.backfill import Step, Work
from pipelines.comparison import Mask, differences
from pipelines.owning_lanes import OwningLanes, RemappingLane
from pipelines.worker_clients import clickhouse
from storage.clickhouse.day_parts import DayParts
from storage.clickhouse.priced_rows import PricedRows
from storage.postgres.backfills import Backfills
from storage.postgres.connection import Database, opened
from storage.postgres.lanes import LaneRegistry
from storage.postgres.models import AllModels

# Whatever a lane is given, its events wait for.
_ROWS_PER_PART = 32_000
_COLUMNS = tuple(dict.fromkeys((*PLACE_COLUMNS, *PRICED_BY, *COST_COLUMNS)))


class Priced(NamedTuple):
    """Calls as they are stored, the same priced anew, and which of them that changes."""

    stored: pa.Table
    repriced: pa.Table
    changed: Mask


def work(backfill: Backfill) -> Work:
    """The parts and steps of a recost."""
    examination = Step(examine, _is_examined)
    storing = Step(store, _is_stored)
    return Work(_cut, (examination,) if backfill.is_trial else (examination, storing))


async def examine(settings: Settings, backfill: Backfill, number: int) -> None:
    """Note what a part's new costs would be."""
    async with opened(settings.postgres_dsn) as database:
        priced = await _priced(settings, database, backfill, number=number)
        await Backfills(database).found(backfill.id, number, _found(priced).to_json())


async def store(
    settings: Settings, backfill: Backfill, number: int, *, lane: Callable[[LaneNumber], RemappingLane] = RayLane
) -> None:
    """Have the lanes store a part's new costs."""
    async with opened(settings.postgres_dsn) as database:
        priced = await _priced(settings, database, backfill, number=number)
        changed = priced.repriced.filter(pa.array(priced.changed))
        lanes = OwningLanes(backfill.project_id, lane, LaneRegistry(database).lane_map)
        counts = await lanes.recost(changed) if changed.num_rows else []
        report = RecostReport(
            written=sum(one.written for one in counts),
            newer=sum(one.newer for one in counts),
            traces=sum(one.traces for one in counts),
        )
        await Backfills(database).stored(backfill.id, number, report.to_json())


def _is_examined(report: PartReport) -> bool:
    return bool(report.found)


def _is_stored(report: PartReport) -> bool:
    """Stored, or without anything to store."""
    return report.stored is not None or RecostReport.from_json(report.found).total.changed == 0


def _cut(settings: Settings, backfill: Backfill) -> list[DayPart]:
    asked = RecostRequest.from_json(backfill.asked)
    return DayParts(clickhouse(settings), backfill.project_id, "observations").cut(
        asked.start, asked.end, _ROWS_PER_PART
    )


async def _priced(settings: Settings, database: Database, backfill: Backfill, *, number: int) -> Priced:
    prices = ProjectPrices(AllModels(database))
    await prices.refresh()
    book = prices.of(backfill.project_id)
    part = (backfill.parts or ())[number]
    read = partial(
        PricedRows(clickhouse(settings), backfill.project_id).read,
        RecostRequest.from_json(backfill.asked),
        part,
        _COLUMNS,
        with_metadata=needs_metadata(book),
    )
    stored = await asyncio.to_thread(read)
    anew = repriced(stored, book)
    changed = np.zeros(stored.num_rows, dtype=bool)
    for mask in differences(anew, stored, COST_COLUMNS).values():
        changed |= mask
    return Priced(stored, anew, changed)


def _found(priced: Priced) -> RecostReport:
    table = pa.table(
        {
            "model": priced.stored["provided_model_name"],
            "changed": pa.array(priced.changed).cast(pa.int64()),
            "before": pa.array(costs.to_units(priced.stored["total_cost"])),
            "after": pa.array(costs.to_units(priced.repriced["total_cost"])),
        }
    )
    sums = table.group_by("model").aggregate(
        [("model", "count"), ("changed", "sum"), ("before", "sum"), ("after", "sum")]
    )
    columns = ("model_count", "changed_sum", "before_sum", "after_sum")
    return RecostReport({row["model"]: ModelCosts(*(row[name] for name in columns)) for row in sums.to_pylist()})
