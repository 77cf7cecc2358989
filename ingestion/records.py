"""Raw records: what the log keeps of each event, and what a replay reads again."""

from collections.abc import Sequence

import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.events import EntityType, RecordKind
from ingestion.rows import Columns, hex_texts, times
from ingestion.source import Source, put_shared, received_at
from ingestion.spans import Spans


def span_records(spans: Spans, sources: Sequence[Source]) -> pa.Table:
    """One record per accepted span; its payload is a ResourceSpans that holds this span alone."""
    everyone = range(len(spans))
    columns = event_columns(sources, EntityType.SPAN)
    columns.put_array("subject", hex_texts(spans.trace_ids))
    columns.put_array("entity_id", hex_texts(spans.span_ids))
    columns.put("payload", everyone, [frame.enclose(raw) for frame, raw in spans.enclosed])
    return columns.table()


def event_columns(sources: Sequence[Source], entity_type: EntityType) -> Columns:
    """The columns of event records that tell where events came from."""
    received = received_at(sources)
    columns = Columns(tables.RECORDS, len(received))
    everyone = range(len(received))
    columns.fill("kind", everyone, RecordKind.EVENT.value)
    columns.fill("entity_type", everyone, entity_type.value)
    put_shared(columns, "project_id", sources, read=lambda source: source.project_id)
    put_shared(columns, "facts", sources, read=lambda source: source.facts.to_json())
    columns.put_array("received_at", times(received))
    return columns
