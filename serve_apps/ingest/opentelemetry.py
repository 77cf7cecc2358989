"""The OTLP doors: traces are mapped and kept, metrics are accepted and dropped."""

from collections.abc import Iterator
from functools import partial

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from heliograph.domain.access import Principal
from heliograph.domain.errors import UnsupportedContentType
from heliograph.domain.events import MappedBatch
from ingestion import otlp
from serve_apps.authentication import project_principal
from serve_apps.bodies import Bodies
from serve_apps.ingest.dependencies import IngestDependencies
from serve_apps.ingest.facts import ingestion_facts
from serve_apps.ingest.in_parts import InParts
from serve_apps.ingest.joined import JoinedExports
from serve_apps.ingest.masks import Masks, RequestMasks
from serve_apps.ingest.media import MediaExtraction
from serve_apps.ingest.shapes import ExportAnswer

# A part is what a thread maps in one go and what a lane takes in one call.
_PART_SPANS = 500
_PART_BYTES = 1 << 20
_NAMED_REJECTIONS = 20


class OpenTelemetryDoor:
    """Takes exports of OpenTelemetry SDKs and collectors.

    Args:
        dependencies: where spans go, and the limits.
        bodies: reads the requests.
        in_parts: takes large exports.
        media: takes files out of payloads.
    """

    def __init__(
        self, dependencies: IngestDependencies, bodies: Bodies, in_parts: InParts, *, media: MediaExtraction
    ) -> None:
        self._joined = JoinedExports(dependencies.appends, dependencies.settings.join_seconds)
        self._clock = dependencies.clock
        self._prices = dependencies.prices
        self._masks = Masks(dependencies)
        self._inline_bytes = dependencies.settings.slice_above_bytes
        self._bodies = bodies
        self._in_parts = in_parts
        self._media = media

    async def traces(self, request: Request) -> Response:
        """Acknowledge an export once all of its valid spans are durable; name those that were rejected."""
        principal = await project_principal(request)
        content_type = content_type_of(request)
        masks = self._masks.of(request.headers, principal)
        context = masks.within(self._context(request.headers, principal))
        async with self._bodies.read(request) as body:
            rejected = await self._accept(body, content_type, context, masks=masks)
        return Response(acknowledgement(rejected, content_type), media_type=content_type)

    async def message(self, body: bytes, headers: Headers, principal: Principal) -> bytes:
        """The same for an export that came over gRPC: from its protobuf message to that of the answer."""
        masks = self._masks.of(headers, principal)
        context = masks.within(self._context(headers, principal))
        with self._bodies.held(body):
            return acknowledgement(await self._accept(body, otlp.PROTOBUF, context, masks=masks), otlp.PROTOBUF)

    async def metrics(self, request: Request) -> Response:
        """Accept metrics, which Heliograph does not keep, so that exporters of both stay quiet."""
        await project_principal(request)
        async for _ in request.stream():
            pass
        return JSONResponse({"message": "OK"})

    def _context(self, headers: Headers, principal: Principal) -> otlp.MappingContext:
        facts, prices = ingestion_facts(headers, principal), self._prices.of(principal.project_id)
        return otlp.MappingContext(principal.project_id, facts, self._clock(), prices=prices)

    async def _accept(
        self, body: bytes, content_type: str, context: otlp.MappingContext, *, masks: RequestMasks
    ) -> list[str]:
        is_inline = len(body) <= self._inline_bytes and not masks.is_slow
        decoding = partial(otlp.decode, body, content_type)
        decoded = decoding() if is_inline else await self._in_parts.work(decoding)
        # Media first: rules and callbacks are for texts.
        export = await masks.export(await self._media.of_export(body, decoded, context.project_id))
        if is_inline:
            return await self._joined.accept(export, context)
        return await self._accept_in_parts(export, len(body), context)

    async def _accept_in_parts(
        self, export: otlp.ExportTraceServiceRequest, size: int, context: otlp.MappingContext
    ) -> list[str]:
        rejected: list[str] = []

        def mapping(part: otlp.ExportTraceServiceRequest) -> MappedBatch:
            mapped = otlp.map_export(part, context)
            rejected.extend(mapped.rejected)
            return mapped.batch

        await self._in_parts.append(partial(mapping, part) for part in _parts(export, size))
        return rejected


def _parts(export: otlp.ExportTraceServiceRequest, size: int) -> Iterator[otlp.ExportTraceServiceRequest]:
    """The export in parts of about a megabyte, fewer spans where spans are large."""
    span_bytes = max(1, size // max(1, export.span_count))
    return otlp.slices(export, min(_PART_SPANS, max(1, _PART_BYTES // span_bytes)))


def content_type_of(request: Request) -> str:
    """Protobuf or JSON, whatever parameters stand around it; raises UnsupportedContentType."""
    sent = request.headers.get("content-type", "")
    found = next((known for known in (otlp.PROTOBUF, otlp.JSON) if known in sent.lower()), "")
    if not found:
        raise UnsupportedContentType(sent[:100], f"{otlp.PROTOBUF} or {otlp.JSON}")
    return found


def acknowledgement(rejected: list[str], content_type: str) -> bytes:
    """An ExportTraceServiceResponse in the request's own encoding."""
    message = "; ".join(rejected[:_NAMED_REJECTIONS])
    if len(rejected) > _NAMED_REJECTIONS:
        message += f"; and {len(rejected) - _NAMED_REJECTIONS} more"
    if content_type == otlp.JSON:
        # Protobuf's JSON form writes 64-bit integers as strings.
        refused: ExportAnswer = {"partialSuccess": {"rejectedSpans": str(len(rejected)), "errorMessage": message}}
        return orjson.dumps(refused if rejected else {})
    partial_success = ExportTracePartialSuccess(rejected_spans=len(rejected), error_message=message)
    response = ExportTraceServiceResponse(partial_success=partial_success if rejected else None)
    return bytes(response.SerializeToString())
