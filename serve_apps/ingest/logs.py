"""The door of OTLP logs: GenAI events join the observations they are about, other records are counted and dropped."""

from collections.abc import Iterator
from functools import partial

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from heliograph.domain.access import Principal
from ingestion import logs, otlp
from ingestion.batch.events import Event
from ingestion.batch.mapping import map_events
from ingestion.otlp import MappingContext
from serve_apps.authentication import project_principal
from serve_apps.bodies import Bodies
from serve_apps.ingest.dependencies import IngestDependencies
from serve_apps.ingest.facts import ingestion_facts
from serve_apps.ingest.in_parts import InParts
from serve_apps.ingest.masks import Masks, RequestMasks
from serve_apps.ingest.media import MediaExtraction
from serve_apps.ingest.opentelemetry import content_type_of

_PART_EVENTS = 500


class LogsDoor:
    """Takes logs of OpenTelemetry SDKs and collectors.

    Args:
        dependencies: where events go, and the limits.
        bodies: reads the requests.
        in_parts: takes large exports.
        media: takes files out of messages.
    """

    def __init__(
        self, dependencies: IngestDependencies, bodies: Bodies, in_parts: InParts, *, media: MediaExtraction
    ) -> None:
        self._appends = dependencies.appends
        self._clock = dependencies.clock
        self._inline_bytes = dependencies.settings.slice_above_bytes
        self._heard = dependencies.heard_logs
        self._masks = Masks(dependencies)
        self._bodies = bodies
        self._in_parts = in_parts
        self._media = media

    async def logs(self, request: Request) -> Response:
        """Acknowledge an export once its GenAI events are durable."""
        principal = await project_principal(request)
        content_type = content_type_of(request)
        masks = self._masks.of(request.headers, principal)
        context = self._context(request.headers, principal)
        async with self._bodies.read(request) as body:
            await self._accept(body, content_type, context, masks=masks)
        return Response(b"{}" if content_type == otlp.JSON else b"", media_type=content_type)

    async def message(self, body: bytes, headers: Headers, principal: Principal) -> bytes:
        """The same for an export that came over gRPC: from its protobuf message to that of the answer."""
        masks = self._masks.of(headers, principal)
        context = self._context(headers, principal)
        with self._bodies.held(body):
            await self._accept(body, otlp.PROTOBUF, context, masks=masks)
        return b""

    def _context(self, headers: Headers, principal: Principal) -> MappingContext:
        return MappingContext(principal.project_id, ingestion_facts(headers, principal), self._clock())

    async def _accept(self, body: bytes, content_type: str, context: MappingContext, *, masks: RequestMasks) -> None:
        is_large = len(body) > self._inline_bytes or masks.is_slow
        decoding = partial(logs.decode, body, content_type)
        decoded = await self._in_parts.work(decoding) if is_large else decoding()
        masked = await masks.events(await self._media.of_events(body, decoded.events, context.project_id))
        if is_large:
            await self._in_parts.append(partial(map_events, part, masks.within(context)) for part in _parts(masked))
        elif masked:
            await self._appends.append(map_events(masked, masks.within(context)))
        self._heard.joined += len(decoded.events)
        self._heard.dropped += decoded.others


def _parts(events: list[Event]) -> Iterator[list[Event]]:
    for start in range(0, len(events), _PART_EVENTS):
        yield events[start : start + _PART_EVENTS]
