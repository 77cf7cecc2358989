"""Rows to read: traces of ten observations over a month, made as Arrow from a pool of templates."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from heliograph.domain.tables import TIME
from tests import factories

PER_TRACE = 10
DAYS = 30
_POOL = 2_000
_TRACES_AT_ONCE = 10_000
_WORDS = [
    "plan",
    "answer",
    "tool",
    "search",
    "user",
    "invoice",
    "order",
    "refund",
    "weather",
    "model",
    "token",
    "budget",
    "river",
    "stone",
    "paper",
    "glass",
]
_BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
_STEP = timedelta(milliseconds=350)

PERIOD = (_BEGIN, _BEGIN + timedelta(days=DAYS))


def _observation(project_id: str, place: int, chance: random.Random) -> dict[str, Any]:
    is_generation = place % 3 == 0
    tokens = (chance.randrange(50, 2000), chance.randrange(10, 500))
    costs = [("input", Decimal(tokens[0]) / 10**6), ("output", Decimal(tokens[1]) / 10**5)]
    text = " ".join(chance.choices(_WORDS, k=80))
    values: dict[str, Any] = {
        "name": f"step {place % 20}",
        "type": "GENERATION" if is_generation else "SPAN",
        "level": "ERROR" if place % 50 == 0 else "DEFAULT",
        "input": text,
        "output": f"{text} needle" if place % 500 == 0 else text,
        "metadata": [("team", orjson.dumps(f"team {place % 25}").decode()), ("attempt", str(place % 3))],
    }
    if is_generation:
        values |= {
            "provided_model_name": f"model-{place % 6}",
            "usage_details": [("input", tokens[0]), ("output", tokens[1]), ("total", sum(tokens))],
            "cost_details": costs,
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
            "total_tokens": sum(tokens),
            "total_cost": sum(cost for _, cost in costs),
        }
    return factories.observation(project_id, "", "", **values)


def _trace(project_id: str, place: int) -> dict[str, Any]:
    return factories.trace(
        project_id,
        "",
        name=f"request {place % 10}",
        user_id=f"user-{place % 200}",
        session_id=f"session-{place}",
        tags=[f"tag-{place % 40}", "all"],
        metadata=[("team", orjson.dumps(f"team {place % 25}").decode())],
        observation_count=PER_TRACE,
        total_cost=Decimal(place) / 10**4,
        total_tokens=place,
        latency_ms=float(350 * PER_TRACE),
    )


def tables(project_id: str, traces: int) -> Iterator[tuple[str, pa.Table]]:
    """The name of a table and rows of it, until there are so many traces."""
    chance = random.Random(7)
    observations = factories.table("observations", [_observation(project_id, n, chance) for n in range(_POOL)])
    templates = factories.table("traces", [_trace(project_id, n) for n in range(_POOL)])
    picks = np.random.default_rng(7)
    for first in range(0, traces, _TRACES_AT_ONCE):
        count = min(_TRACES_AT_ONCE, traces - first)
        begins = _micros(_BEGIN) + (np.arange(first, first + count) * (DAYS * 86_400_000_000 // traces))
        ids = [f"{number:032x}" for number in range(first, first + count)]
        picked = picks.integers(0, _POOL, count)
        yield "traces", _traces(templates.take(pa.array(picked)), ids, begins)
        rows = observations.take(pa.array(picks.integers(0, _POOL, count * PER_TRACE)))
        users = templates["user_id"].take(pa.array(np.repeat(picked, PER_TRACE)))
        yield "observations", _placed(_set(rows, user_id=users), ids, begins)


def _traces(rows: pa.Table, ids: list[str], begins: np.ndarray) -> pa.Table:
    roots = [f"{each[16:]}00" for each in ids]
    ends = _times(begins + PER_TRACE * (_STEP // timedelta(microseconds=1)))
    rows = _set(rows, id=pa.array(ids), root_observation_id=pa.array(roots), end_time=ends)
    return _at(_set(rows, timestamp=_times(begins)), begins)


def _placed(rows: pa.Table, ids: list[str], begins: np.ndarray) -> pa.Table:
    step = _STEP // timedelta(microseconds=1)
    starts = (begins[:, None] + np.arange(PER_TRACE) * step).ravel()
    parents = [f"{each[16:]}00" if n else "" for each in ids for n in range(PER_TRACE)]
    rows = _set(
        rows,
        trace_id=pa.array([each for each in ids for _ in range(PER_TRACE)]),
        id=pa.array([f"{each[16:]}{n:02d}" for each in ids for n in range(PER_TRACE)]),
        parent_observation_id=pa.array(parents),
        start_time=_times(starts),
        end_time=_times(starts + np.random.default_rng(3).integers(1_000, step, len(starts))),
    )
    return _at(rows, starts)


def _at(rows: pa.Table, micros: np.ndarray) -> pa.Table:
    return _set(rows, placed_at=_times(micros), created_at=_times(micros), updated_at=_times(micros))


def _set(rows: pa.Table, **columns: pa.Array | pa.ChunkedArray) -> pa.Table:
    for name, column in columns.items():
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, rows.schema.field(place), column)
    return rows


def _times(micros: np.ndarray) -> pa.Array:
    return pa.array(micros.astype("int64")).cast(TIME)


def _micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
