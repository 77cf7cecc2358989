import httpx

from heliograph.domain.lane_backlog import Backlog
from heliograph.measures import Sample, samples
from operations import backlog
from serve_apps.metrics import exposition


def reported(lane: str = "0", **values: float) -> list[Sample]:
    """What a lane that keeps up reports, but for the given values."""
    usual = {"epoch": 1.0, "ready": 1.0, "stalled": 0.0, "cursor_segment": 900.0, "checkpoint_segment": 899.0}
    return samples({f"heliograph_lane_{name}": value for name, value in (usual | values).items()}, lane=lane)


def said(*found: Sample) -> list[str]:
    return backlog.backlog_of(exposition(found).decode()).sentences


def test_a_stack_that_keeps_up_says_so() -> None:
    assert said(*reported("0"), *reported("1")) == ["Nothing is behind."]


def test_every_figure_of_a_lane_is_read() -> None:
    values = {"acknowledged_events_per_second": 1500.0, "merged_events_per_second": 1400.0, "lag_segments": 3.0}
    others = {"heliograph_insert_failures": 2.0, "heliograph_log_objects": 70.0, "heliograph_log_bytes": 5e6}
    failures = {"heliograph_lane_checkpoint_failures": 4.0}
    text = exposition([*reported("0", **values), *samples(others | failures, lane="0"), *reported("1")]).decode()

    first, second = backlog.backlog_of(text).lanes

    assert (first.acknowledged_per_second, first.merged_per_second, first.lag_segments) == (1500, 1400, 3)
    assert (first.insert_failures, first.checkpoint_failures, first.log_objects, first.log_bytes) == (2, 4, 70, 5e6)
    assert (second.name, second.acknowledged_per_second, second.log_objects) == ("1", 0, None)


def test_what_is_behind_is_said_of_the_lane_that_is() -> None:
    late = reported("1", oldest_unflushed_seconds=42.0, lag_segments=7.0, stalled=1.0)

    assert said(*reported("0"), *late) == [
        "Lane 1: ClickHouse takes no rows: events are acknowledged, and appear later.",
        "Lane 1: it is behind: its oldest event has waited for 42 s, 7 segments to go.",
    ]
    assert "reads again" in said(*reported(ready=0.0, lag_segments=9.0))[0]
    assert "PostgreSQL" in said(*reported(checkpoint_segment=100.0))[0]
    assert "2 segments could not be merged" in said(*reported(set_aside_segments=1.0, unreadable_segments=1.0))[0]


def test_lanes_that_do_not_report_are_not_taken_for_lanes_without_a_backlog() -> None:
    only_sizes = samples({"heliograph_log_objects": 70.0}, lane="0")

    found = backlog.backlog_of(exposition(only_sizes).decode())

    assert found.is_behind
    assert "no lane has reported" in found.sentences[0]
    assert Backlog(unknown_because=str(httpx.ConnectError("refused"))).is_behind
