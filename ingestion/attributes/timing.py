"""When an observation started, ended, and gave its first token."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from ingestion import values
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.rows import Columns
from ingestion.values import Value

# Contract 4.2, completionStartTime.
COMPLETION_START_KEYS: Keys = ("langfuse.observation.completion_start_time",)
FIRST_CHUNK_KEYS: Keys = ("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")
# Beyond the contract: the GenAI conventions, and the Vercel AI SDK 7, in seconds.
FIRST_CHUNK_SECONDS_KEYS: Keys = (
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.client.operation.time_to_first_chunk",
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The last moment that ClickHouse's Date holds: a broken clock must not make a row unreadable.
_MAX_MICROSECONDS = (datetime(2149, 6, 6, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) - 1

Times = npt.NDArray[np.int64]


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def parse(text: str) -> int | None:
    """Microseconds since 1970 of an ISO 8601 time, within the range that can be stored; UTC when it names no zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(microseconds(moment), 0), _MAX_MICROSECONDS)


def start_and_end(started: list[int], ended: list[int], received_at: Times) -> tuple[Times, Times]:
    """Start and end in microseconds from OTLP's nanoseconds, where 0 is absent.

    A missing start is the end, a missing end the start, and when both are missing the time of receipt; an end before
    the start is the start.
    """
    start = _clamped(started)
    end = _clamped(ended)
    start = np.where(start == 0, end, start)
    start = np.where(start == 0, received_at, start)
    return start, np.maximum(end, start)


def _clamped(nanoseconds: list[int]) -> Times:
    found = np.array(nanoseconds, np.uint64) // np.uint64(1000)
    capped: Times = np.minimum(found, np.uint64(_MAX_MICROSECONDS)).astype(np.int64)
    return capped


def fill_completion_start(group: SpanGroup, columns: Columns) -> None:
    """Sets `completion_start_time`, in microseconds."""
    declared = group.first(COMPLETION_START_KEYS)
    found = None if declared is None else [_declared(value) for value in declared]
    waited = group.first(FIRST_CHUNK_KEYS, _is_given)
    if waited is not None:
        starts = [span.start_time_unix_nano // 1000 for span in group.spans]
        counted = list(map(_after, starts, waited))
        found = counted if found is None else [one or other for one, other in zip(found, counted, strict=True)]
    seconds = group.first(FIRST_CHUNK_SECONDS_KEYS)
    if seconds is not None:
        starts = [span.start_time_unix_nano // 1000 for span in group.spans]
        counted = [_after(start, _milliseconds(value)) for start, value in zip(starts, seconds, strict=True)]
        found = counted if found is None else [one or other for one, other in zip(found, counted, strict=True)]
    if found is not None:
        columns.put("completion_start_time", group.rows, found)


def _is_given(value: Value) -> bool:
    return value is not None


def _declared(value: Value) -> int | None:
    if not isinstance(value, str) or not value:
        return None
    # SDK 5 sends a JSON string, quotes included.
    text = value[1:-1] if value[0] == '"' else value
    return parse(text)


def _milliseconds(seconds: Value) -> Value:
    return seconds * 1000 if isinstance(seconds, int | float) else None


def _after(start: int, milliseconds: Value) -> int | None:
    try:
        waited = math.ceil(float(values.text(milliseconds)))
    except (ValueError, OverflowError):
        return None
    # A span without a start has no time to count from.
    return min(max(start + waited * 1000, 0), _MAX_MICROSECONDS) if start else None
