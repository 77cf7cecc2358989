"""What lanes have measured of themselves in the last day, one row a minute and lane."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from heliograph.measures import Sample

STEP = timedelta(minutes=1)
KEEP = timedelta(days=1)

SCHEMA = pa.schema(
    [
        ("time", pa.timestamp("us", "UTC")),
        ("lane", pa.string()),
        ("acknowledged_per_second", pa.float64()),
        ("merged_per_second", pa.float64()),
        ("oldest_unflushed_ms", pa.float64()),
        ("lag_segments", pa.float64()),
        ("backlog_bytes", pa.float64()),
        ("rows_per_insert", pa.float64()),
        ("insert_ms", pa.float64()),
    ]
)
_LANE = "heliograph_lane_"
_RATES = ("acknowledged_events_per_second", "merged_events_per_second")
# Of a minute the worst is kept.
_WORST = ("oldest_unflushed_seconds", "lag_segments", "backlog_bytes")
_INSERTED = (
    ("heliograph_insert_rows", "_sum"),
    ("heliograph_insert_rows", "_count"),
    ("heliograph_insert_seconds", "_sum"),
)

Values = dict[tuple[str, str], float]


@dataclass
class _Minute:
    """The sums and the worst of the reports of a minute, and the counts of inserts before it and now."""

    at: datetime
    before: tuple[float, ...]
    now: tuple[float, ...]
    reports: int
    rates: tuple[float, ...]
    worst: tuple[float, ...]


class LaneHistory:
    """The minutes of every lane; it lives as long as its process, and is empty after a restart."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._minutes: dict[str, deque[_Minute]] = {}

    def note(self, reported: Sequence[Sample]) -> None:
        """Take what a process has reported; only lanes are remembered."""
        by_lane: dict[str, Values] = {}
        for sample in reported:
            if len(sample.labels) == 1 and sample.labels[0][0] == "lane":
                by_lane.setdefault(sample.labels[0][1], {})[sample.metric, sample.suffix] = sample.value
        for lane, values in by_lane.items():
            self._note(lane, values)

    def table(self, after: datetime, before: datetime) -> pa.Table:
        """The minutes that began from `after`, inclusive, to `before`, exclusive; see SCHEMA.

        Rates are means of their minute, ages and backlogs its worst, inserts those of the minute; null without any.
        """
        rows = [
            _row(lane, minute)
            for lane, minutes in self._minutes.items()
            for minute in minutes
            if after <= minute.at < before
        ]
        return pa.Table.from_pylist(rows, schema=SCHEMA)

    def _note(self, lane: str, values: Values) -> None:
        at = self._clock().replace(second=0, microsecond=0)
        minutes = self._minutes.setdefault(lane, deque(maxlen=KEEP // STEP))
        rates = tuple(values.get((_LANE + name, ""), 0.0) for name in _RATES)
        worst = tuple(values.get((_LANE + name, ""), 0.0) for name in _WORST)
        inserted = tuple(values.get(key, 0.0) for key in _INSERTED)
        if not minutes or minutes[-1].at != at:
            minutes.append(_Minute(at, minutes[-1].now if minutes else inserted, inserted, 1, rates, worst))
            return
        minute = minutes[-1]
        minute.now, minute.reports = inserted, minute.reports + 1
        minute.rates = tuple(one + other for one, other in zip(minute.rates, rates, strict=True))
        minute.worst = tuple(map(max, minute.worst, worst))


def _row(lane: str, minute: _Minute) -> dict[str, object]:
    # A lane's next owner counts from nothing.
    started_anew = any(now < before for now, before in zip(minute.now, minute.before, strict=True))
    before = (0.0,) * len(minute.now) if started_anew else minute.before
    rows, inserts, seconds = (now - earlier for now, earlier in zip(minute.now, before, strict=True))
    acknowledged, merged = (total / minute.reports for total in minute.rates)
    oldest, lag, backlog = minute.worst
    return {
        "time": minute.at,
        "lane": lane,
        "acknowledged_per_second": acknowledged,
        "merged_per_second": merged,
        "oldest_unflushed_ms": oldest * 1000,
        "lag_segments": lag,
        "backlog_bytes": backlog,
        "rows_per_insert": rows / inserts if inserts else None,
        "insert_ms": seconds * 1000 / inserts if inserts else None,
    }
