"""What Heliograph measures of itself: each metric's name, kind and meaning, and samples of them."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """How a metric behaves."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """One metric; a counter's samples end in `_total`, its name does not."""

    kind: Kind
    meaning: str


METRICS: Mapping[str, Metric] = {
    "heliograph_lane_acknowledged_events": Metric(Kind.COUNTER, "Events in the log, whose senders were answered"),
    "heliograph_lane_merged_events": Metric(Kind.COUNTER, "Events merged and inserted into ClickHouse"),
    "heliograph_lane_acknowledged_events_per_second": Metric(Kind.GAUGE, "Rate of the last five seconds"),
    "heliograph_lane_merged_events_per_second": Metric(Kind.GAUGE, "Rate of the last five seconds"),
    "heliograph_lane_oldest_unflushed_seconds": Metric(Kind.GAUGE, "Age of the oldest event that no reader sees yet"),
    "heliograph_lane_lag_segments": Metric(Kind.GAUGE, "Segments of the log that are not flushed yet"),
    "heliograph_lane_backlog_bytes": Metric(Kind.GAUGE, "Memory held by events that wait for their flush"),
    "heliograph_lane_head_segment": Metric(Kind.GAUGE, "Number of the log's last segment"),
    "heliograph_lane_cursor_segment": Metric(Kind.GAUGE, "Number of the last segment that was flushed"),
    "heliograph_lane_checkpoint_segment": Metric(Kind.GAUGE, "Number of the segment after which a restart reads"),
    "heliograph_lane_checkpoint_failures": Metric(Kind.COUNTER, "Checkpoints that PostgreSQL did not take"),
    "heliograph_lane_append_failures": Metric(Kind.COUNTER, "Segments that the object store did not take"),
    "heliograph_lane_merge_failures": Metric(Kind.COUNTER, "Steps of a merge that were repeated"),
    "heliograph_lane_flushes": Metric(Kind.COUNTER, "Flushes"),
    "heliograph_lane_reread_segments": Metric(Kind.COUNTER, "Segments read again from the log"),
    "heliograph_lane_unreadable_segments": Metric(Kind.GAUGE, "Damaged segments that were passed over"),
    "heliograph_lane_set_aside_segments": Metric(Kind.GAUGE, "Segments set aside, since they cannot be merged"),
    "heliograph_lane_epoch": Metric(Kind.GAUGE, "How often the lane has changed its owner"),
    "heliograph_lane_ready": Metric(Kind.GAUGE, "1 when what the last owner left is flushed"),
    "heliograph_lane_stalled": Metric(Kind.GAUGE, "1 while ClickHouse takes no rows"),
    "heliograph_insert_seconds": Metric(Kind.HISTOGRAM, "Duration of an insert into ClickHouse"),
    "heliograph_insert_rows": Metric(Kind.HISTOGRAM, "Rows of an insert"),
    "heliograph_insert_failures": Metric(Kind.COUNTER, "Inserts that ClickHouse did not confirm"),
    "heliograph_log_appended_segments": Metric(Kind.COUNTER, "Segments written to the log"),
    "heliograph_log_appended_bytes": Metric(Kind.COUNTER, "Bytes written to the log"),
    "heliograph_log_objects": Metric(Kind.GAUGE, "Objects of the log, by the last listing"),
    "heliograph_log_bytes": Metric(Kind.GAUGE, "Bytes of the log, by the last listing"),
    "heliograph_http_requests": Metric(Kind.COUNTER, "Requests answered by a replica, by status"),
    "heliograph_log_records_joined": Metric(Kind.COUNTER, "Log records whose GenAI event joined an observation"),
    "heliograph_log_records_dropped": Metric(Kind.COUNTER, "Log records without one, which are not kept"),
    "heliograph_loop_lag_seconds": Metric(Kind.GAUGE, "The longest that an event loop was held in five seconds"),
    "heliograph_key_cache_hits": Metric(Kind.COUNTER, "Keys answered from memory"),
    "heliograph_key_cache_look_ups": Metric(Kind.COUNTER, "Keys looked up in PostgreSQL"),
    "heliograph_key_cache_stale": Metric(Kind.COUNTER, "Known keys served while PostgreSQL was away"),
    "heliograph_key_cache_unanswered": Metric(Kind.COUNTER, "Keys answered with 503, PostgreSQL being away"),
    "heliograph_key_listener_connected": Metric(Kind.GAUGE, "1 while a replica hears of changed keys at once"),
    "heliograph_key_listener_losses": Metric(Kind.COUNTER, "Failures of the connection that listens"),
    "heliograph_rate_limited_requests": Metric(Kind.COUNTER, "Requests beyond a project's rate, answered with 429"),
    "heliograph_quota_refused_requests": Metric(Kind.COUNTER, "Requests beyond a project's quota of events"),
    "heliograph_sampled_out_events": Metric(Kind.COUNTER, "Events of traces outside a project's sample, dropped"),
    "heliograph_postgres_pool_in_use": Metric(Kind.GAUGE, "Connections to PostgreSQL that a replica uses"),
    "heliograph_postgres_pool_limit": Metric(Kind.GAUGE, "Connections to PostgreSQL that it may use"),
    "heliograph_process_resident_bytes": Metric(Kind.GAUGE, "Resident memory of a process"),
    "heliograph_process_open_files": Metric(Kind.GAUGE, "File descriptors that a process holds"),
}

Labels = tuple[tuple[str, str], ...]


class Sample(NamedTuple):
    """One value of a metric; of a histogram one of its series, named by the suffix."""

    metric: str
    labels: Labels
    value: float
    suffix: str = ""


@dataclass
class Distribution:
    """Counts of observed values by upper bound; the last count is of those beyond every bound."""

    bounds: tuple[float, ...]
    counts: list[int] = field(init=False)
    total: float = 0.0

    def __post_init__(self) -> None:
        """Nothing is counted yet."""
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


def samples(values: Mapping[str, float], **labels: str) -> list[Sample]:
    """One sample of each named metric, all under the same labels."""
    pairs = tuple(labels.items())
    return [Sample(metric, pairs, float(value)) for metric, value in values.items()]


def histogram(
    metric: str, *, counts: Iterable[int], bounds: Iterable[float], total: float, **labels: str
) -> list[Sample]:
    """The cumulative series of a distribution."""
    pairs, made, sum_so_far = tuple(labels.items()), [], 0
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        sum_so_far += count
        made.append(Sample(metric, (*pairs, ("le", bound)), sum_so_far, "_bucket"))
    return [*made, Sample(metric, pairs, sum_so_far, "_count"), Sample(metric, pairs, total, "_sum")]


def values_by_lane(reported: Iterable[Sample]) -> dict[str, dict[str, float]]:
    """What lanes report, by lane and by the names that Prometheus gives."""
    found: dict[str, dict[str, float]] = {}
    for sample in reported:
        if len(sample.labels) == 1 and sample.labels[0][0] == "lane":
            ending = "_total" if METRICS[sample.metric].kind is Kind.COUNTER else sample.suffix
            found.setdefault(sample.labels[0][1], {})[sample.metric + ending] = sample.value
    return found
