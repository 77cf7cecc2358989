"""A lane's status as metrics, with the rates of the time since they were last asked for."""

import time
from collections.abc import Callable
from typing import Any

from heliograph.measures import Sample, histogram, samples


class LaneMeasures:
    """Turns one lane's status into samples."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked_at = clock()
        self._before = (0, 0)

    def samples(self, status: dict[str, Any]) -> list[Sample]:
        """The samples of a status; see `Lane.status`."""
        lane = str(status["lane"])
        inserted = status["inserted"]
        return [
            *samples(self._rates(status), lane=lane),
            *samples(_log_values(status), lane=lane),
            *samples(_merge_values(status), lane=lane),
            *histogram("heliograph_insert_seconds", **inserted["durations"], lane=lane),
            *histogram("heliograph_insert_rows", **inserted["sizes"], lane=lane),
        ]

    def _rates(self, status: dict[str, Any]) -> dict[str, float]:
        now, counts = self._clock(), (status["appended"]["records"], status["merged"]["records"])
        seconds = max(now - self._asked_at, 1e-3)
        acknowledged, merged = ((count - before) / seconds for count, before in zip(counts, self._before, strict=True))
        self._asked_at, self._before = now, counts
        return {
            "heliograph_lane_acknowledged_events": counts[0],
            "heliograph_lane_merged_events": counts[1],
            "heliograph_lane_acknowledged_events_per_second": round(acknowledged, 3),
            "heliograph_lane_merged_events_per_second": round(merged, 3),
        }


def _log_values(status: dict[str, Any]) -> dict[str, float]:
    appended, head, lag = status["appended"], status["head_segment"], status["waiting_segments"]
    return {
        "heliograph_lane_oldest_unflushed_seconds": round(status["oldest_unflushed_seconds"], 3),
        "heliograph_lane_lag_segments": lag,
        "heliograph_lane_backlog_bytes": status["backlog_bytes"],
        "heliograph_lane_head_segment": head,
        # An owner that has flushed nothing yet stands where the one before it left.
        "heliograph_lane_cursor_segment": status["cursor_segment"] or max(0, head - lag),
        "heliograph_lane_checkpoint_segment": status["checkpoint_segment"] or max(0, head - lag),
        "heliograph_lane_checkpoint_failures": status["checkpoint_failures"],
        "heliograph_lane_append_failures": appended["failures"],
        "heliograph_log_appended_segments": appended["segments"],
        "heliograph_log_appended_bytes": appended["nbytes"],
        "heliograph_lane_epoch": status["epoch"],
    }


def _merge_values(status: dict[str, Any]) -> dict[str, float]:
    merged = status["merged"]
    return {
        "heliograph_lane_merge_failures": merged["failures"],
        "heliograph_lane_flushes": merged["flushes"],
        "heliograph_lane_reread_segments": merged["reread"],
        "heliograph_lane_unreadable_segments": status["unreadable_segments"],
        "heliograph_lane_set_aside_segments": status["set_aside_segments"],
        "heliograph_lane_ready": status["is_ready"],
        "heliograph_lane_stalled": status["is_stalled"],
        "heliograph_insert_failures": status["inserted"]["failures"],
    }
