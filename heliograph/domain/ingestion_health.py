"""What widgets can ask of the lanes' own measures: how far what readers see is behind what was sent."""

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.metrics import Aggregation, MetricsQuery

DIMENSIONS = ("lane",)
# By their names in queries: the columns of the history of the lanes. Durations are milliseconds.
MEASURES = {
    "acknowledgedPerSecond": "acknowledged_per_second",
    "mergedPerSecond": "merged_per_second",
    "oldestUnflushed": "oldest_unflushed_ms",
    "lagSegments": "lag_segments",
    "backlogBytes": "backlog_bytes",
    "rowsPerInsert": "rows_per_insert",
    "insertDuration": "insert_ms",
}
_REFUSED = {Aggregation.HISTOGRAM, Aggregation.COUNT, Aggregation.UNIQ}


def check(query: MetricsQuery) -> None:
    """Raise InvalidRequest unless the lanes' measures can answer it."""
    for name in query.fields:
        if name not in DIMENSIONS:
            raise InvalidRequest("dimensions", f"there is no {name!r} in this view; there is {', '.join(DIMENSIONS)}")
    for metric in query.metrics:
        if metric.measure not in MEASURES:
            known = ", ".join(MEASURES)
            raise InvalidRequest("metrics", f"there is no {metric.measure!r} in this view; there are {known}")
        if metric.aggregation in _REFUSED:
            raise InvalidRequest("metrics", f"what lanes measure has no {metric.aggregation}")
    if query.filters:
        raise InvalidRequest("filters", "what lanes measure is not filtered: it is of all projects")
