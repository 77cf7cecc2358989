"""What the lanes of a stack have still to do, and what of it needs attention."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

# A flush is due after a second at the latest, and takes another.
_BEHIND_AFTER_SECONDS = 10.0
# A checkpoint is recorded twice a second: this many segments are half a minute of a busy lane.
_CHECKPOINT_BEHIND_SEGMENTS = 300


@dataclass(frozen=True)
class LaneBacklog:
    """One lane, by what it measures of itself; rates are of the last five seconds.

    Without a listing yet, nothing is known of its log's size.
    """

    name: str
    acknowledged_per_second: float = 0
    merged_per_second: float = 0
    oldest_unflushed_seconds: float = 0
    lag_segments: float = 0
    backlog_bytes: float = 0
    checkpoint_lag_segments: float = 0
    checkpoint_failures: float = 0
    inserts: float = 0
    inserted_rows: float = 0
    insert_seconds: float = 0
    insert_failures: float = 0
    set_aside_segments: float = 0
    unreadable_segments: float = 0
    log_objects: float | None = None
    log_bytes: float = 0
    is_stalled: bool = False
    is_ready: bool = True

    @classmethod
    def of(cls, name: str, values: Mapping[str, float]) -> Self:
        """Read a lane's metrics, by their names in Prometheus."""

        def lane(metric: str) -> float:
            return values.get(f"heliograph_lane_{metric}", 0)

        return cls(
            name=name,
            acknowledged_per_second=lane("acknowledged_events_per_second"),
            merged_per_second=lane("merged_events_per_second"),
            oldest_unflushed_seconds=lane("oldest_unflushed_seconds"),
            lag_segments=lane("lag_segments"),
            backlog_bytes=lane("backlog_bytes"),
            checkpoint_lag_segments=lane("cursor_segment") - lane("checkpoint_segment"),
            checkpoint_failures=lane("checkpoint_failures_total"),
            inserts=values.get("heliograph_insert_rows_count", 0),
            inserted_rows=values.get("heliograph_insert_rows_sum", 0),
            insert_seconds=values.get("heliograph_insert_seconds_sum", 0),
            insert_failures=values.get("heliograph_insert_failures_total", 0),
            set_aside_segments=lane("set_aside_segments"),
            unreadable_segments=lane("unreadable_segments"),
            log_objects=values.get("heliograph_log_objects"),
            log_bytes=values.get("heliograph_log_bytes", 0),
            is_stalled=lane("stalled") > 0,
            is_ready=values.get("heliograph_lane_ready", 1) > 0,
        )

    @property
    def rows_per_insert(self) -> float | None:
        """Of all inserts since the lane started; None before the first."""
        return self.inserted_rows / self.inserts if self.inserts else None

    @property
    def seconds_per_insert(self) -> float | None:
        """Of all inserts since the lane started; None before the first."""
        return self.insert_seconds / self.inserts if self.inserts else None

    @property
    def lost_segments(self) -> float:
        """Segments that could not be merged, and lie aside or are damaged."""
        return self.unreadable_segments + self.set_aside_segments

    @property
    def complaints(self) -> list[str]:
        """What is behind here, in sentences."""
        found = []
        if self.is_stalled:
            found.append("ClickHouse takes no rows: events are acknowledged, and appear later.")
        if not self.is_ready:
            found.append(f"it reads again what was left in its log: {self.lag_segments:,.0f} segments to go.")
        elif self.oldest_unflushed_seconds > _BEHIND_AFTER_SECONDS:
            found.append(
                f"it is behind: its oldest event has waited for {self.oldest_unflushed_seconds:,.0f} s, "
                f"{self.lag_segments:,.0f} segments to go."
            )
        if self.checkpoint_lag_segments > _CHECKPOINT_BEHIND_SEGMENTS:
            found.append(
                f"its checkpoint is {self.checkpoint_lag_segments:,.0f} segments behind, which a restart would read "
                "again: does PostgreSQL answer?"
            )
        if self.lost_segments:
            told = f"{self.lost_segments:,.0f} segments could not be merged and are set aside"
            found.append(f"{told}: run `heliograph doctor --log`.")
        return [f"Lane {self.name}: {sentence}" for sentence in found]


@dataclass(frozen=True)
class Backlog:
    """The backlog of a stack, or why it is not known."""

    lanes: tuple[LaneBacklog, ...] = ()
    unknown_because: str = ""

    @property
    def is_behind(self) -> bool:
        """Whether something needs attention."""
        return bool(self.unknown_because) or not self.lanes or any(lane.complaints for lane in self.lanes)

    @property
    def sentences(self) -> list[str]:
        """What is to say of it; at least one."""
        if self.unknown_because:
            return [f"The backlog is not known: {self.unknown_because}"]
        if not self.lanes:
            return ["The backlog is not known: no lane has reported in the last 30 s."]
        return [sentence for lane in self.lanes for sentence in lane.complaints] or ["Nothing is behind."]


def backlog_of(values: Mapping[str, Mapping[str, float]]) -> Backlog:
    """The backlog by the metrics of each lane; what does not report as a lane is none."""
    reporting = {name: own for name, own in values.items() if "heliograph_lane_epoch" in own}
    return Backlog(tuple(LaneBacklog.of(name, reporting[name]) for name in sorted(reporting, key=int)))
