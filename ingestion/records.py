"""Raw records: what the log keeps of each event, and what a replay reads again."""

import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.events import EntityType, RecordKind
from ingestion.rows import Columns, hex_texts, times
from ingestion.spans import Source, Spans


def span_records(spans: Spans, source: Source) -> pa.Table:
    """One record per accepted span; its payload is a ResourceSpans that holds this span alone."""
    everyone = range(len(spans))
    columns = event_columns(source, EntityType.SPAN)
    columns.put_array("subject", hex_texts(spans.trace_ids))
    columns.put_array("entity_id", hex_texts(spans.span_ids))
    columns.put("payload", everyone, [frame.enclose(raw) for frame, raw in spans.enclosed])
    return columns.table()


def event_columns(source: Source, entity_type: EntityType) -> Columns:
    """The columns of event records that all events of a source share."""
    count = len(source.received_at)
    columns = Columns(tables.RECORDS, count)
    for name, value in (
        ("kind", RecordKind.EVENT.value),
        ("project_id", source.project_id),
        ("entity_type", entity_type.value),
        ("facts", source.facts.to_json()),
    ):
        columns.fill(name, range(count), value)
    columns.put_array("received_at", times(source.received_at))
    return columns
