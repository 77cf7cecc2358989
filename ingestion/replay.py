"""Raw records mapped again, to exactly the rows they gave the first time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog
from google.protobuf.message import DecodeError

from heliograph.domain import tables
from heliograph.domain.events import ROW_SCHEMAS, EntityType, IngestionFacts, MappedBatch, RecordKind
from heliograph.domain.identifiers import ProjectId
from ingestion import scores, wire
from ingestion.attributes.group import Frame
from ingestion.batch import mapping
from ingestion.batch.events import Event
from ingestion.batch.rules import Refused
from ingestion.pricing import PriceBook, PriceBooks
from ingestion.source import Source
from ingestion.spans import Spans, map_spans

log = structlog.get_logger(__name__)

Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class _Records:
    """Records of one project that arrived in the same way, with their numbers in the whole."""

    numbers: Numbers
    payloads: Sequence[bytes]
    source: Source


def map_records(records: pa.Table, *, prices: PriceBooks) -> MappedBatch:
    """The batch of these records and the rows they map to.

    Tombstones, moves and records that cannot be read are kept without rows.
    """
    mapped = []
    unreadable = 0
    for (kind, entity_type, project_id, facts), numbers in _grouped(records).items():
        if kind != RecordKind.EVENT:
            continue
        mapper = _MAPPERS.get(entity_type)
        arrived = _facts(facts)
        if mapper is None or arrived is None:
            unreadable += len(numbers)
            continue
        project = ProjectId(project_id)
        rows, skipped = mapper(_selected(records, numbers, project, facts=arrived), prices.of(project))
        mapped.append(rows)
        unreadable += skipped
    if unreadable:
        log.warning("records_without_rows", count=unreadable, of=records.num_rows)
    return MappedBatch(
        records,
        *(_in_order([rows.row_tables[place] for rows in mapped], schema) for place, schema in enumerate(ROW_SCHEMAS)),
    )


def _grouped(records: pa.Table) -> dict[tuple[str, str, str, str], list[int]]:
    columns = [records[name].to_pylist() for name in ("kind", "entity_type", "project_id", "facts")]
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for number, key in enumerate(zip(*columns, strict=True)):
        groups.setdefault(key, []).append(number)
    return groups


def _facts(text: str) -> IngestionFacts | None:
    try:
        return IngestionFacts.from_json(text)
    except (ValueError, AttributeError):
        return None


def _selected(records: pa.Table, numbers: list[int], project_id: ProjectId, *, facts: IngestionFacts) -> _Records:
    chosen = records if len(numbers) == records.num_rows else records.take(numbers)
    received_at = chosen["received_at"].cast(pa.int64()).to_numpy()
    source = Source(project_id, facts, received_at)
    return _Records(np.array(numbers, np.int32), chosen["payload"].to_pylist(), source)


def _map_spans(records: _Records, prices: PriceBook) -> tuple[MappedBatch, int]:
    spans = Spans()
    frames: dict[tuple[bytes, ...], Frame] = {}
    for place, payload in enumerate(records.payloads):
        try:
            resource = wire.ResourceSpans.FromString(payload)
            scope = wire.ScopeSpans.FromString(resource.scope_spans[0])
        except (DecodeError, IndexError):
            continue
        key = (resource.resource, resource.schema_url, scope.scope, scope.schema_url)
        frame = frames.get(key)
        if frame is None:
            frame = frames[key] = Frame(key[0], key[2], (key[1], key[3]))
        spans.extend(place, scope.spans[:1], frame)
    accepted = np.array(spans.accepted, np.int64)
    received_at = records.source.received_at[accepted]
    source = Source(records.source.project_id, records.source.facts, received_at)
    mapped = map_spans(spans, [source], prices)
    numbers = records.numbers[accepted]
    rows = MappedBatch(
        tables.empty(tables.RECORDS),
        _numbered(mapped.observations, numbers),
        trace_parts=_numbered(mapped.trace_parts, numbers),
    )
    return rows, len(records.payloads) - len(spans)


def _map_scores(records: _Records, _prices: PriceBook) -> tuple[MappedBatch, int]:
    bodies = []
    readable = []
    for number, payload in zip(records.numbers, records.payloads, strict=True):
        try:
            bodies.append(scores.from_payload(payload))
        except ValueError:
            continue
        readable.append(number)
    rows = _numbered(scores.score_rows(bodies, records.source), np.array(readable, np.int32))
    return MappedBatch(tables.empty(tables.RECORDS), scores=rows), len(records.payloads) - len(bodies)


def _map_trace_events(records: _Records, _prices: PriceBook) -> tuple[MappedBatch, int]:
    events, numbers = _events(records)
    parts = _numbered(mapping.trace_parts(events, records.source), numbers)
    return MappedBatch(tables.empty(tables.RECORDS), trace_parts=parts), len(records.payloads) - len(events)


def _map_observation_events(records: _Records, _prices: PriceBook) -> tuple[MappedBatch, int]:
    events, numbers = _events(records)
    parts = _numbered(mapping.observation_parts(events, records.source), numbers)
    return MappedBatch(tables.empty(tables.RECORDS), observation_parts=parts), len(records.payloads) - len(events)


def _events(records: _Records) -> tuple[list[Event], Numbers]:
    events = []
    readable = []
    for number, payload in zip(records.numbers, records.payloads, strict=True):
        try:
            events.append(mapping.from_payload(payload))
        except (ValueError, Refused):
            continue
        readable.append(number)
    return events, np.array(readable, np.int32)


_MAPPERS: dict[str, Callable[[_Records, PriceBook], tuple[MappedBatch, int]]] = {
    EntityType.SPAN: _map_spans,
    EntityType.SCORE: _map_scores,
    EntityType.TRACE_EVENT: _map_trace_events,
    EntityType.OBSERVATION_EVENT: _map_observation_events,
}


def _numbered(rows: pa.Table, numbers: Numbers) -> pa.Table:
    index = rows.schema.get_field_index("record")
    record = pa.array(numbers[rows["record"].to_numpy()], pa.int32())
    return rows.set_column(index, rows.schema.field(index), record)


def _in_order(parts: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    filled = [part for part in parts if part.num_rows]
    if not filled:
        return tables.empty(schema)
    rows = pa.concat_tables(filled)
    if len(filled) == 1:
        return rows
    return rows.take(pa.array(np.argsort(rows["record"].to_numpy(), kind="stable")))
