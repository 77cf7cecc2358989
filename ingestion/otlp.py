"""OTLP traces: the request body decoded, then each span mapped to its row and its raw record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import numpy as np
from google.protobuf.message import DecodeError

from heliograph.domain.errors import MalformedPayload, UnsupportedContentType
from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.identifiers import ProjectId
from ingestion import otlp_json, wire
from ingestion.attributes.group import Frame, frame_of
from ingestion.attributes.timing import microseconds
from ingestion.masking.masker import ALWAYS, Masker
from ingestion.pricing import PriceBook, managed_prices
from ingestion.records import span_records
from ingestion.rows import NO_SCORES
from ingestion.source import Source
from ingestion.spans import Spans, map_spans

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


@dataclass(frozen=True)
class ScopeOfSpans:
    """The spans of one instrumentation scope, each still serialized."""

    resource: bytes
    resource_schema_url: bytes
    scope: bytes
    scope_schema_url: bytes
    spans: list[bytes]

    def part(self, first: int, last: int) -> "ScopeOfSpans":
        """The spans from `first` to before `last`."""
        return ScopeOfSpans(
            self.resource, self.resource_schema_url, self.scope, self.scope_schema_url, self.spans[first:last]
        )


@dataclass(frozen=True)
class ExportTraceServiceRequest:
    """A decoded export. Its spans are read only when they are mapped, so that decoding a large body is cheap.

    Attributes:
        scopes: the instrumentation scopes with their spans.
        first: the number of the first span within the request it was cut from; messages count from there.
    """

    scopes: list[ScopeOfSpans]
    first: int = 0

    @property
    def span_count(self) -> int:
        """How many spans were sent."""
        return sum(len(scope.spans) for scope in self.scopes)


@dataclass(frozen=True)
class MappingContext:
    """What mapping needs to know beside the request."""

    project_id: ProjectId
    facts: IngestionFacts
    received_at: datetime
    masker: Masker = ALWAYS
    prices: PriceBook = field(default_factory=managed_prices)


@dataclass(frozen=True)
class MappedExport:
    """The rows and records of an export, and for every span that was rejected a message that names it."""

    batch: MappedBatch
    rejected: list[str]


@dataclass(frozen=True)
class MappedExports:
    """The rows and records of several exports in their order.

    Attributes:
        batch: of all of them.
        rejected: of each, a message for every span that was rejected.
        accepted: of each, how many records of the batch are its own.
    """

    batch: MappedBatch
    rejected: list[list[str]]
    accepted: list[int]


def decode(body: bytes, content_type: str, signal: otlp_json.Signal = otlp_json.TRACES) -> ExportTraceServiceRequest:
    """The export in a request body, protobuf or JSON; the `spans` of an export of logs are its records.

    Raises:
        UnsupportedContentType: it is declared to be neither.
        MalformedPayload: it is not an export; the reason says where. A single bad span is no reason.
    """
    media_type = content_type.split(";", 1)[0].strip().lower()
    if media_type == JSON:
        body = otlp_json.to_protobuf(body, signal)
    elif media_type != PROTOBUF:
        raise UnsupportedContentType(content_type, f"{PROTOBUF} or {JSON}")
    try:
        return ExportTraceServiceRequest(list(_scopes(body)))
    except DecodeError as error:
        reason = "it is not a protobuf export request"
        raise MalformedPayload(reason) from error


def _scopes(body: bytes) -> Iterator[ScopeOfSpans]:
    for resource_raw in wire.Export.FromString(body).resource_spans:
        resource = wire.ResourceSpans.FromString(resource_raw)
        for scope_raw in resource.scope_spans:
            scope = wire.ScopeSpans.FromString(scope_raw)
            yield ScopeOfSpans(resource.resource, resource.schema_url, scope.scope, scope.schema_url, scope.spans[:])


def slices(request: ExportTraceServiceRequest, max_spans: int) -> Iterator[ExportTraceServiceRequest]:
    """The request cut into parts of at most `max_spans` spans, in order, without copying a span."""
    scopes: list[ScopeOfSpans] = []
    first = count = 0
    for scope in request.scopes:
        taken = 0
        while taken < len(scope.spans):
            part = scope.part(taken, taken + max_spans - count)
            scopes.append(part)
            taken += len(part.spans)
            count += len(part.spans)
            if count == max_spans:
                yield ExportTraceServiceRequest(scopes, request.first + first)
                scopes, first, count = [], first + count, 0
    if scopes:
        yield ExportTraceServiceRequest(scopes, request.first + first)


def map_export(request: ExportTraceServiceRequest, context: MappingContext) -> MappedExport:
    """Maps every span; one that cannot be read or has no valid ids is rejected alone."""
    joined = map_exports([request], [context])
    return MappedExport(joined.batch, joined.rejected[0])


def map_exports(requests: Sequence[ExportTraceServiceRequest], contexts: Sequence[MappingContext]) -> MappedExports:
    """Maps several exports as one, which costs small ones a fraction.

    Args:
        requests: the exports, of any projects.
        contexts: one for each of them; all with the same masker and the same prices.
    """
    spans = Spans()
    sources: list[Source] = []
    rejected: list[list[str]] = []
    masker, prices = contexts[0].masker, contexts[0].prices
    masked = iter(masker.spans([raw for request in requests for scope in request.scopes for raw in scope.spans]))
    for request, context in zip(requests, contexts, strict=True):
        number, already, accepted = request.first, len(spans.rejected), len(spans)
        for scope in request.scopes:
            raws = list(islice(masked, len(scope.spans)))
            spans.extend(number, raws, _frame(scope, masker))
            number += len(raws)
        rejected.append(spans.rejected[already:])
        received_at = np.full(len(spans) - accepted, microseconds(context.received_at), np.int64)
        sources.append(Source(context.project_id, context.facts, received_at))
    mapped = map_spans(spans, sources, prices)
    batch = MappedBatch(span_records(spans, sources), mapped.observations, NO_SCORES, mapped.trace_parts)
    return MappedExports(batch, rejected, [len(source) for source in sources])


def _frame(scope: ScopeOfSpans, masker: Masker) -> Frame:
    schema_urls = masker.schema_url(scope.resource_schema_url), masker.schema_url(scope.scope_schema_url)
    return frame_of(masker.resource(scope.resource), masker.scope(scope.scope), schema_urls)
