from datetime import UTC, datetime, timedelta

import pyarrow as pa

from actors.lane_history import KEEP, LaneHistory
from dashboard.queries.lane_figures import aggregated
from heliograph.domain.metrics import Aggregation, Dimension, Granularity, Metric, MetricsQuery, TimeDimension, ViewName
from heliograph.measures import Sample, samples

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
LANE = "heliograph_lane_"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def report(lane: str, *, oldest: float, rows: float, inserts: float, rate: float = 10.0) -> list[Sample]:
    gauges = {
        f"{LANE}oldest_unflushed_seconds": oldest,
        f"{LANE}backlog_bytes": 100.0,
        f"{LANE}acknowledged_events_per_second": rate,
    }
    labels = (("lane", lane),)
    return [
        *samples(gauges, lane=lane),
        Sample("heliograph_insert_rows", labels, rows, "_sum"),
        Sample("heliograph_insert_rows", labels, inserts, "_count"),
        Sample("heliograph_insert_seconds", labels, inserts / 10, "_sum"),
    ]


def remembered() -> pa.Table:
    """Two lanes of two minutes; the second one's owner changes between them."""
    clock = Clock()
    history = LaneHistory(clock)
    history.note(report("0", oldest=1.0, rows=100, inserts=10))
    history.note(report("1", oldest=5.0, rows=0, inserts=0, rate=30.0))
    clock.now += timedelta(seconds=59)
    history.note(report("0", oldest=0.5, rows=100, inserts=10, rate=20.0))
    clock.now += timedelta(seconds=1)
    history.note(report("0", oldest=0.25, rows=160, inserts=12))
    history.note(report("1", oldest=0.5, rows=8, inserts=4, rate=30.0))
    return history.table(START, START + KEEP)


def ask(metric: Metric, *, by_lane: bool = False, granularity: Granularity | None = None) -> list[dict[str, object]]:
    query = MetricsQuery(
        view=ViewName.INGESTION,
        metrics=(metric,),
        dimensions=(Dimension(field="lane"),) if by_lane else (),
        from_timestamp=START,
        to_timestamp=START + KEEP,
        time_dimension=TimeDimension(granularity=granularity) if granularity else None,
    )
    rows: list[dict[str, object]] = aggregated(remembered(), query).to_pylist()
    return rows


def test_a_minute_has_its_mean_rates_its_worst_age_and_its_inserts() -> None:
    first, second = (row for row in remembered().to_pylist() if row["lane"] == "0")
    assert (first["time"], first["acknowledged_per_second"], first["oldest_unflushed_ms"]) == (START, 15.0, 1000.0)
    assert (first["rows_per_insert"], second["rows_per_insert"], round(second["insert_ms"])) == (None, 30.0, 100)


def test_the_next_owner_of_a_lane_counts_from_nothing() -> None:
    clock = Clock()
    history = LaneHistory(clock)
    history.note(report("0", oldest=0, rows=900, inserts=9))
    clock.now += timedelta(minutes=1)
    history.note(report("0", oldest=0, rows=20, inserts=4))
    assert history.table(START, START + KEEP)["rows_per_insert"].to_pylist() == [None, 5.0]


def test_a_day_is_kept_and_what_is_no_lane_is_not() -> None:
    clock = Clock()
    history = LaneHistory(clock)
    history.note(samples({"heliograph_process_open_files": 3}, process="api"))
    for _ in range(1500):
        history.note(report("0", oldest=0, rows=0, inserts=0))
        clock.now += timedelta(minutes=1)
    assert history.table(START, clock.now).num_rows == KEEP // timedelta(minutes=1)


def test_lanes_that_are_not_told_apart_add_up_their_rates_and_show_the_worst_age() -> None:
    rate = Metric(measure="acknowledgedPerSecond", aggregation=Aggregation.AVG)
    assert ask(rate) == [{"avg_acknowledgedPerSecond": 42.5}]
    oldest = Metric(measure="oldestUnflushed", aggregation=Aggregation.MAX)
    assert ask(oldest, granularity=Granularity.MINUTE) == [
        {"time_dimension": START, "max_oldestUnflushed": 5000.0},
        {"time_dimension": START + timedelta(minutes=1), "max_oldestUnflushed": 500.0},
    ]
    assert ask(oldest, by_lane=True) == [
        {"lane": "0", "max_oldestUnflushed": 1000.0},
        {"lane": "1", "max_oldestUnflushed": 5000.0},
    ]
    assert ask(Metric(measure="oldestUnflushed", aggregation=Aggregation.P50), by_lane=True)[1] == {
        "lane": "1", "p50_oldestUnflushed": 2750.0
    }  # fmt: skip
