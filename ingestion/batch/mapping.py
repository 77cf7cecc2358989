"""Events of a batch mapped to raw records, and to the parts that are merged into whole rows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.events import EntityType, MappedBatch
from ingestion import scores, values
from ingestion.attributes import timing
from ingestion.batch import gen_ai_events
from ingestion.batch.events import SCORE, TRACE, Event, event_of
from ingestion.batch.trace_fields import MAX_NAME
from ingestion.masking import captured
from ingestion.masking.masker import Masker
from ingestion.merge import SEEN
from ingestion.otlp import MappingContext
from ingestion.records import event_columns
from ingestion.rows import NO_OBSERVATIONS, NO_SCORES, Columns, times
from ingestion.source import Source
from ingestion.values import Value

# What no masking rule touches: what events are joined by, and what is checked to be something else than free text.
_KEPT = frozenset(
    {
        *("id", "traceId", "observationId", "parentObservationId", "promptVersion", "level", "public", "type"),
        *("timestamp", "startTime", "endTime", "completionStartTime", "environment"),
        *("usage", "usageDetails", "costDetails"),
        *gen_ai_events.MEMBERS,
    }
)


def map_events(events: Sequence[Event], context: MappingContext) -> MappedBatch:
    """One record per event, and what each sets as parts or as a score. Every observation must know its trace."""
    masked = [_masked(event, context.masker) for event in events]
    groups = [
        _map_scores([event for event in masked if event.score is not None], context),
        *(
            _map_parts([event for event in masked if entity_type_of(event) is kind], kind, context)
            for kind in (EntityType.TRACE_EVENT, EntityType.OBSERVATION_EVENT)
        ),
    ]
    return MappedBatch.concat([group for group in groups if group.records.num_rows] or groups[:1])


def entity_type_of(event: Event) -> EntityType:
    """What the event's record describes."""
    return {SCORE: EntityType.SCORE, TRACE: EntityType.TRACE_EVENT}.get(event.type, EntityType.OBSERVATION_EVENT)


def _masked(event: Event, masker: Masker) -> Event:
    # Scores are masked on their way to rows.
    if event.score is not None or (masker.is_idle and not captured.is_suspect(to_payload(event))):
        return event
    body = masker.members(event.body, _KEPT)
    if isinstance(name := body.get("name"), str):
        body["name"] = name[:MAX_NAME]  # what replaces a secret may be longer than it
    return event_of(event.id, event.type, event.stamped_at, body=body).within(event.trace_id)


def _map_scores(events: Sequence[Event], context: MappingContext) -> MappedBatch:
    # A score that names no time was given when its event was made.
    bodies = [
        score if score.timestamp else replace(score, timestamp=event.stamped_at)
        for event in events
        if (score := event.score) is not None
    ]
    return scores.map_scores(bodies, context)


def _map_parts(events: Sequence[Event], kind: EntityType, context: MappingContext) -> MappedBatch:
    received_at = np.full(len(events), timing.microseconds(context.received_at), np.int64)
    source = Source(context.project_id, context.facts, received_at)
    columns = event_columns([source], kind)
    everyone = range(len(events))
    columns.put("subject", everyone, [event.trace_id for event in events])
    columns.put("entity_id", everyone, [event.entity_id for event in events])
    columns.put("payload", everyone, [to_payload(event) for event in events])
    if kind is EntityType.TRACE_EVENT:
        return MappedBatch(columns.table(), NO_OBSERVATIONS, NO_SCORES, trace_parts(events, source))
    parts = observation_parts(events, source)
    return MappedBatch(columns.table(), observation_parts=parts)


def to_payload(event: Event) -> bytes:
    """What the log keeps of a trace's or an observation's event."""
    kept = {
        "id": event.id, "type": event.type, "at": event.stamped_at, "trace": event.trace_id, "body": dict(event.body),
    }  # fmt: skip
    return values.to_json(kept, values.RECORD_DEPTH).encode()


def from_payload(payload: bytes) -> Event:
    """The inverse of `to_payload`.

    Raises:
        ValueError, Refused: it is not the payload of a valid event.
    """
    match values.from_json(payload):
        case {
            "id": str(event_id),
            "type": str(kind),
            "at": int(stamped_at),
            "trace": str(trace_id),
            "body": dict(body),
        }:
            return event_of(event_id, kind, stamped_at, body=body).within(trace_id)
    reason = "not an event"
    raise ValueError(reason)


def trace_parts(events: Sequence[Event], source: Source) -> pa.Table:
    """The parts that events set on their traces; `record` numbers the events."""
    set_by = [{**event.fields, SEEN: ""} for event in events]
    parts = [(row, name, text) for row, fields in enumerate(set_by) for name, text in fields.items()]
    columns = Columns(tables.MAPPED_TRACE_PARTS, len(parts))
    everyone = range(len(parts))
    columns.fill("project_id", everyone, source.project_id)
    columns.put("trace_id", everyone, [events[row].entity_id for row, _, _ in parts])
    columns.put("field", everyone, [name for _, name, _ in parts])
    columns.put("value", everyone, [text for _, _, text in parts])
    columns.put_array("stamped_at", times([events[row].stamped_at for row, _, _ in parts]))
    columns.put("stamp_id", everyone, [events[row].stamp_id for row, _, _ in parts])
    columns.put("record", everyone, [row for row, _, _ in parts])
    return columns.table()


def observation_parts(events: Sequence[Event], source: Source) -> pa.Table:
    """What events set on their observations; `record` numbers the events."""
    columns = Columns(tables.MAPPED_OBSERVATION_PARTS, len(events))
    everyone = range(len(events))
    arrived: dict[str, Value] = {
        SEEN: "",
        "ingestion_api_key": source.facts.public_key,
        "ingestion_sdk_name": source.facts.sdk_name,
        "ingestion_sdk_version": source.facts.sdk_version,
    }
    columns.fill("project_id", everyone, source.project_id)
    columns.put("trace_id", everyone, [event.trace_id for event in events])
    columns.put("id", everyone, [event.entity_id for event in events])
    columns.put("fields", everyone, [values.to_json({**event.fields, **arrived}) for event in events])
    columns.put_array("stamped_at", times([event.stamped_at for event in events]))
    columns.put("stamp_id", everyone, [event.stamp_id for event in events])
    columns.put_array("record", pa.array(np.arange(len(events), dtype=np.int32)))
    return columns.table()
