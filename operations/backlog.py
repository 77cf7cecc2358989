"""What a running stack has still to do, read from its own metrics."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Self

import httpx
from prometheus_client.parser import text_string_to_metric_families

from heliograph.settings import Settings

_TIMEOUT_SECONDS = 5
# A flush is due after a second at the latest, and takes another.
_BEHIND_AFTER_SECONDS = 10.0
# A checkpoint is recorded twice a second: this many segments are half a minute of a busy lane.
_CHECKPOINT_BEHIND_SEGMENTS = 300


@dataclass(frozen=True)
class LaneBacklog:
    """One lane; the rates are of the last five seconds. Without a listing yet, nothing is known of its log's size."""

    name: str
    acknowledged_per_second: float = 0
    merged_per_second: float = 0
    oldest_unflushed_seconds: float = 0
    lag_segments: float = 0
    checkpoint_lag_segments: float = 0
    checkpoint_failures: float = 0
    insert_failures: float = 0
    set_aside_segments: float = 0
    unreadable_segments: float = 0
    log_objects: float | None = None
    log_bytes: float = 0
    is_stalled: bool = False
    is_ready: bool = True

    @classmethod
    def of(cls, name: str, values: dict[str, float]) -> Self:
        """Read a lane's metrics."""

        def lane(metric: str) -> float:
            return values.get(f"heliograph_lane_{metric}", 0)

        return cls(
            name=name,
            acknowledged_per_second=lane("acknowledged_events_per_second"),
            merged_per_second=lane("merged_events_per_second"),
            oldest_unflushed_seconds=lane("oldest_unflushed_seconds"),
            lag_segments=lane("lag_segments"),
            checkpoint_lag_segments=lane("cursor_segment") - lane("checkpoint_segment"),
            checkpoint_failures=lane("checkpoint_failures_total"),
            insert_failures=values.get("heliograph_insert_failures_total", 0),
            set_aside_segments=lane("set_aside_segments"),
            unreadable_segments=lane("unreadable_segments"),
            log_objects=values.get("heliograph_log_objects"),
            log_bytes=values.get("heliograph_log_bytes", 0),
            is_stalled=lane("stalled") > 0,
            is_ready=values.get("heliograph_lane_ready", 1) > 0,
        )

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
        if self.unreadable_segments or self.set_aside_segments:
            count = self.unreadable_segments + self.set_aside_segments
            found.append(f"{count:,.0f} segments could not be merged and are set aside: run `heliograph doctor --log`.")
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


def read(settings: Settings) -> Backlog:
    """Ask the running stack."""
    headers = {"authorization": f"Bearer {settings.metrics_token}"} if settings.metrics_token else {}
    try:
        answer = httpx.get(f"{settings.url}/metrics", headers=headers, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        return Backlog(unknown_because=f"{settings.url}/metrics: {error}".splitlines()[0])
    return backlog_of(answer.text)


def backlog_of(text: str) -> Backlog:
    """Read the backlog out of the metrics."""
    by_lane: dict[str, dict[str, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if set(sample.labels) == {"lane"}:
                by_lane[sample.labels["lane"]][sample.name] = sample.value
    reporting = {name: values for name, values in by_lane.items() if "heliograph_lane_epoch" in values}
    return Backlog(tuple(LaneBacklog.of(name, reporting[name]) for name in sorted(reporting, key=int)))
