"""Mapped batches of a few plain spans and scores, as an ingestion door would hand them to a lane."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from heliograph.domain import costs, tables
from heliograph.domain.events import MappedBatch
from ingestion.batch import observations
from ingestion.batch.observations import MergedObservation
from ingestion.pricing import managed_prices

PROJECT = "project-1"
RECEIVED_AT = 1_780_000_000_000_000


@dataclass(frozen=True)
class Span:
    """The few columns that a test varies; the others are empty."""

    id: str
    trace_id: str = "trace-1"
    parent_observation_id: str = ""
    name: str = "step"
    start_time: int = RECEIVED_AT
    end_time: int | None = None
    level: str = "DEFAULT"
    trace_name: str = ""
    user_id: str = ""
    session_id: str = ""
    tags: tuple[str, ...] = ()
    trace_metadata: tuple[tuple[str, str], ...] = ()
    total_tokens: int = 0
    total_cost: int = 0
    type: str = "SPAN"
    input_tokens: int = 0
    output_tokens: int = 0
    project_id: str = PROJECT


@dataclass(frozen=True)
class Score:
    """The few columns that a test varies; the others are empty."""

    id: str
    trace_id: str = "trace-1"
    session_id: str = ""
    name: str = "quality"
    value: float = 0.0
    data_type: str = "NUMERIC"
    string_value: str = ""
    timestamp: int = RECEIVED_AT
    project_id: str = PROJECT


@dataclass(frozen=True)
class TracePart:
    """A field that an event sets on the trace itself."""

    field: str
    value: str
    stamped_at: int
    stamp_id: str
    trace_id: str = "trace-1"
    project_id: str = PROJECT


@dataclass(frozen=True)
class Grave:
    """A tombstone, as a request to delete appends it."""

    subject_type: str
    subject: str = ""
    id: str = "deletion-1"
    project_id: str = PROJECT


Event = Span | Score | TracePart | Grave


def batch_of(*events: Event) -> MappedBatch:
    """One record an event, in the given order."""
    records = pa.Table.from_pylist([_record(event) for event in events], schema=tables.RECORDS)
    return MappedBatch(
        records,
        _rows(
            [(index, event) for index, event in enumerate(events) if isinstance(event, Span)],
            tables.MAPPED_OBSERVATIONS,
        ),
        _rows([(index, event) for index, event in enumerate(events) if isinstance(event, Score)], tables.MAPPED_SCORES),
        _rows(
            [(index, event) for index, event in enumerate(events) if isinstance(event, TracePart)],
            tables.MAPPED_TRACE_PARTS,
        ),
    )


def _record(event: Event) -> dict[str, object]:
    return {
        "kind": "tombstone" if isinstance(event, Grave) else "event",
        "project_id": event.project_id,
        "subject": _subject(event),
        "entity_type": _entity_type(event),
        "entity_id": getattr(event, "id", ""),
        "received_at": RECEIVED_AT,
        "facts": "{}",
        "payload": b"",
    }


def _subject(event: Event) -> str:
    if isinstance(event, Grave):
        return event.subject
    if isinstance(event, Score) and not event.trace_id:
        return f"session:{event.session_id}"
    return event.trace_id


def _entity_type(event: Event) -> str:
    match event:
        case Grave():
            return event.subject_type
        case Score():
            return "score"
        case _:
            return "span"


def _rows(events: Sequence[tuple[int, Span | Score | TracePart]], schema: pa.Schema) -> pa.Table:
    columns = []
    for field in schema:
        values = [
            index if field.name == "record" else getattr(event, field.name, _absent(field)) for index, event in events
        ]
        columns.append(_array(field.type, values))
    return pa.Table.from_arrays(columns, schema=schema)


def _array(type_: pa.DataType, values: list[object]) -> pa.Array:
    if pa.types.is_decimal(type_):
        return costs.to_decimals(pa.array(values, pa.int64()).to_numpy())
    if pa.types.is_timestamp(type_):
        return pa.array(values, pa.int64()).cast(type_)
    return pa.array(values, type_)


def _absent(field: pa.Field) -> object:
    if field.nullable:
        return None
    if pa.types.is_string(field.type):
        return ""
    if pa.types.is_map(field.type) or pa.types.is_list(field.type):
        return []
    return 0 if not pa.types.is_boolean(field.type) else False


def compose(merged: Sequence[MergedObservation]) -> pa.Table:
    """Whole rows from parts, as a lane composes them."""
    return observations.rows(merged, managed_prices())
