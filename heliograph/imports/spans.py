"""Spans of OTLP's JSON from what files of other platforms say."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from heliograph.imports.target import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def span(
    ids: tuple[str, str, str], name: str, times: tuple[int, int | None], *, attributes: Mapping[str, Any], status: Json
) -> Json:
    """A span.

    Args:
        ids: of the trace, the span and its parent, in hexadecimal; '' of a root's parent.
        name: of the span.
        times: start and end in nanoseconds since 1970; a span without end ends at its start.
        attributes: by their flat names; what is neither text nor number nor truth is written as JSON.
        status: `code` 0 to 2, and `message`.
    """
    trace_id, span_id, parent_id = ids
    start, end = times
    found = {
        "traceId": trace_id,
        "spanId": span_id,
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start if end is None else end),
        "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items() if value is not None],
        "status": status,
    }
    return found | ({"parentSpanId": parent_id} if parent_id else {})


def nanoseconds(moment: Any) -> int | None:
    """A time as people and files write it (ISO text, datetime, nanoseconds) in nanoseconds since 1970; None of none."""
    match moment:
        case None | "":
            return None
        case bool():
            raise ValueError(moment)
        case int():
            return moment
        case str():
            return nanoseconds(datetime.fromisoformat(moment))
        case datetime():
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            since = aware - _EPOCH
            return ((since.days * 86_400 + since.seconds) * 10**6 + since.microseconds) * 1_000
        case _:
            raise ValueError(moment)


def flattened(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Attributes under their dotted names; lists of mappings by their places, as OpenInference writes them."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{name}.")
        elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            for place, one in enumerate(value):
                flat |= flattened(one, f"{name}.{place}.")
        else:
            flat[name] = value
    return flat


def _value(value: Any) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case list() if all(isinstance(one, str) for one in value):
            return {"arrayValue": {"values": [{"stringValue": one} for one in value]}}
        case _:
            return {"stringValue": json.dumps(value, default=str)}
