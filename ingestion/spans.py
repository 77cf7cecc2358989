"""Spans on their way to rows: gathered, grouped by scope and shape, then mapped group by group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError

from heliograph.domain import tables
from ingestion import wire
from ingestion.attributes import (
    cost,
    environment,
    io,
    level,
    metadata,
    names,
    parameters,
    prompt,
    timing,
    trace,
    types,
)
from ingestion.attributes.group import Frame, SpanGroup
from ingestion.attributes.shape import Shape, shape_of
from ingestion.masking.masker import ALWAYS
from ingestion.pricing import PriceBook
from ingestion.rows import NO_TRACE_PARTS, Columns, hex_texts, times
from ingestion.source import Source, each, put_arrival, received_at

_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8


@dataclass(frozen=True)
class MappedSpans:
    """The rows of spans; `record` is the number of the span among the accepted ones."""

    observations: pa.Table
    trace_parts: pa.Table


class Spans:
    """Accepted spans in the order they came, and why the others were rejected."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.trace_ids: list[bytes] = []
        self.span_ids: list[bytes] = []
        self.enclosed: list[tuple[Frame, bytes]] = []
        self.rejected: list[str] = []
        self.accepted: list[int] = []
        self._groups: dict[tuple[int, Shape], SpanGroup] = {}

    def __len__(self) -> int:
        return len(self.spans)

    @property
    def groups(self) -> list[SpanGroup]:
        """The spans by scope and shape."""
        return list(self._groups.values())

    def extend(self, first: int, raws: Sequence[bytes], frame: Frame) -> None:
        """Adds the serialized spans of one scope, numbered from `first` in messages."""
        groups = self._groups
        frame_id = id(frame)
        likely: dict[int, Shape] = {}
        for number, raw in enumerate(raws, first):
            try:
                span = wire.Span.FromString(raw)
            except DecodeError:
                self.rejected.append(f"span {number}: it is not a protobuf Span")
                continue
            trace_id = span.trace_id
            span_id = span.span_id
            if len(trace_id) != _TRACE_ID_BYTES or len(span_id) != _SPAN_ID_BYTES:
                self.rejected.append(_bad_id(number, span))
                continue
            attributes = span.attributes[:]
            # Neighbours with as many attributes mostly have the same.
            shape = likely.get(len(attributes))
            if shape is None or not shape.fits(attributes):
                shape, attributes = shape_of(attributes)
                likely[len(attributes)] = shape
            if shape.holds_captured:
                raw = ALWAYS.span(raw)  # noqa: PLW2901 - the one before is not to be used again
                span = wire.Span.FromString(raw)
                attributes = shape_of(span.attributes[:])[1]
            key = (frame_id, shape)
            group = groups.get(key)
            if group is None:
                group = groups[key] = SpanGroup(frame, shape)
            group.rows.append(len(self.spans))
            group.spans.append(span)
            group.attributes.append(attributes)
            self.spans.append(span)
            self.trace_ids.append(trace_id)
            self.span_ids.append(span_id)
            self.enclosed.append((frame, raw))
            self.accepted.append(number)


def _bad_id(number: int, span: Any) -> str:  # a generated message
    name = span.name.decode("utf-8", "replace")[:80]
    for field, found, expected in (
        ("traceId", span.trace_id, _TRACE_ID_BYTES),
        ("spanId", span.span_id, _SPAN_ID_BYTES),
    ):
        if len(found) != expected:
            return f"span {number} ({name!r}): {field} must have {expected} bytes, not {len(found)}"
    return ""


def map_spans(spans: Spans, sources: Sequence[Source], prices: PriceBook) -> MappedSpans:
    """The rows of all accepted spans, in their order, which is that of the sources."""
    columns = Columns(tables.MAPPED_OBSERVATIONS, len(spans))
    everyone = range(len(spans))
    columns.put_array("trace_id", hex_texts(spans.trace_ids))
    columns.put_array("id", hex_texts(spans.span_ids))
    columns.put_array("parent_observation_id", hex_texts([span.parent_span_id for span in spans.spans]))
    started = [span.start_time_unix_nano for span in spans.spans]
    ended = [span.end_time_unix_nano for span in spans.spans]
    start, end = timing.start_and_end(started, ended, received_at(sources))
    columns.put_array("start_time", times(start))
    columns.put_array("end_time", times(end))
    columns.put_array("record", pa.array(np.arange(len(spans), dtype=np.int32)))
    put_arrival(columns, sources)
    columns.fill("source", everyone, "otel")
    columns.fill("level", everyone, level.DEFAULT)
    for group in spans.groups:
        _map_group(group, prices, columns)
    return MappedSpans(columns.table(), _trace_parts(spans, sources, start))


def _map_group(group: SpanGroup, prices: PriceBook, columns: Columns) -> None:
    kinds = types.fill(group, columns)
    names.fill(group, columns)
    level.fill(group, columns)
    environment.fill(group, columns)
    trace.fill(group, columns)
    io.fill(group, columns)
    timing.fill_completion_start(group, columns)
    parameters.fill(group, columns)
    prompt.fill(group, kinds, columns)
    counted, not_counted = cost.of(group)
    metadata.fill(group, not_counted, columns)
    if counted is not None:
        counted.fill(group.rows, prices, columns)


def _trace_parts(spans: Spans, sources: Sequence[Source], start: timing.Times) -> pa.Table:
    parts = [
        (row, name, text)
        for group in spans.groups
        for name, rows, found in trace.parts(group)
        for row, text in zip(rows, found, strict=True)
    ]
    if not parts:
        return NO_TRACE_PARTS
    parts.sort(key=lambda part: part[:2])
    rows = [row for row, _, _ in parts]
    everyone = range(len(parts))
    columns = Columns(tables.MAPPED_TRACE_PARTS, len(parts))
    projects = each(sources, lambda source: source.project_id)
    columns.put("project_id", everyone, [projects[row] for row in rows])
    columns.put_array("trace_id", hex_texts([spans.trace_ids[row] for row in rows]))
    columns.put("field", everyone, [name for _, name, _ in parts])
    columns.put("value", everyone, [text for _, _, text in parts])
    columns.put("stamped_at", everyone, start[rows].tolist())
    columns.put_array("stamp_id", hex_texts([spans.span_ids[row] for row in rows]))
    columns.put("record", everyone, rows)
    return columns.table()
