"""The door of batch ingestion: many events of all kinds, each acknowledged or refused by itself."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from heliograph import telemetry
from heliograph.domain.access import Principal
from heliograph.domain.errors import InvalidRequest, MalformedPayload
from ingestion import values
from ingestion.attributes.timing import microseconds
from ingestion.batch import events, single
from ingestion.batch.events import DecodedBatch, Event, EventError
from ingestion.batch.mapping import map_events
from ingestion.batch.rules import Refused, object_of
from ingestion.otlp import MappingContext
from ingestion.values import Value
from serve_apps.authentication import ingestion_principal, is_public_key_alone, project_principal
from serve_apps.bodies import Bodies
from serve_apps.ingest.dependencies import IngestDependencies
from serve_apps.ingest.facts import ingestion_facts
from serve_apps.ingest.in_parts import InParts
from serve_apps.ingest.masks import Masks, RequestMasks
from serve_apps.ingest.media import MediaExtraction
from serve_apps.ingest.score_checks import ScoreChecks
from serve_apps.ingest.shapes import BatchShape, RefusedEvent
from serve_apps.ingest.trace_ids import TraceIds

_PART_EVENTS = 500
_log = telemetry.logger("batch")


class BatchDoor:
    """Takes batches of events from SDKs of the first generations, and their single-object requests.

    Args:
        dependencies: where events go, and the limits.
        bodies: reads the requests.
        in_parts: takes large batches.
        media: takes files out of payloads.
    """

    def __init__(
        self, dependencies: IngestDependencies, bodies: Bodies, in_parts: InParts, *, media: MediaExtraction
    ) -> None:
        self._appends = dependencies.appends
        self._clock = dependencies.clock
        self._inline_bytes = dependencies.settings.slice_above_bytes
        self._masks = Masks(dependencies)
        self._checks = ScoreChecks(dependencies.score_configs, in_parts)
        self._trace_ids = TraceIds(dependencies.trace_ids)
        self._bodies = bodies
        self._in_parts = in_parts
        self._media = media

    async def ingestion(self, request: Request) -> Response:
        """Acknowledge the valid events once they are durable; tell for each of the others what is wrong."""
        principal = await ingestion_principal(request)
        masks = self._masks.of(request.headers, principal)
        context = masks.within(self._context(request, principal))
        async with self._bodies.read(request) as body:
            is_large = len(body) > self._inline_bytes or masks.is_slow
            decoded = await self._in_parts.work(partial(events.decode, body)) if is_large else events.decode(body)
            if is_public_key_alone(request):
                decoded = _scores_alone(decoded)
            decoded = await self._checks.of_batch(principal.project_id, decoded)
            for entry in decoded.logs:
                _log.info(
                    "sdk_log", project_id=principal.project_id, entry=values.to_json(context.masker.value(entry))[:2000]
                )
            told = await self._told(body, decoded.events, principal, masks=masks)
            if is_large:
                await self._in_parts.append(partial(map_events, part, context) for part in _parts(told))
            elif told:
                await self._appends.append(map_events(told, context))
        return _answer(decoded)

    async def trace(self, request: Request) -> Response:
        """Create a trace, or change it."""
        return await self._one(request, single.trace)

    async def span(self, request: Request) -> Response:
        """Create a span, or change it by PATCH."""
        return await self._one(request, partial(single.observation, "span", request.method == "PATCH"))

    async def generation(self, request: Request) -> Response:
        """Create a generation, or change it by PATCH."""
        return await self._one(request, partial(single.observation, "generation", request.method == "PATCH"))

    async def event(self, request: Request) -> Response:
        """Create an event."""
        return await self._one(request, partial(single.observation, "event", False))  # never a PATCH

    async def _one(
        self, request: Request, described: Callable[[Mapping[str, Value]], tuple[str, Mapping[str, Value]]]
    ) -> Response:
        principal: Principal = await project_principal(request)
        masks = self._masks.of(request.headers, principal)
        context = masks.within(self._context(request, principal))
        async with self._bodies.read(request) as body:
            try:
                parsed = values.from_body(body)
            except ValueError as error:
                reason = f"it is not JSON ({error})"
                raise MalformedPayload(reason) from error
            try:
                kind, described_body = described(object_of(parsed, "body"))
                event = events.event_of(str(uuid.uuid4()), kind, microseconds(context.received_at), body=described_body)
            except Refused as refusal:
                raise InvalidRequest(refusal.field, refusal.reason) from refusal
            told = await self._told(body, [event], principal, masks=masks)
            mapping = partial(map_events, told, context)
            await self._appends.append(await self._in_parts.work(mapping) if masks.is_slow else mapping())
        return JSONResponse({"id": event.entity_id})

    async def _told(self, body: bytes, sent: list[Event], principal: Principal, *, masks: RequestMasks) -> list[Event]:
        """The events as they are kept: each with its trace, with references to its media, and masked by callbacks."""
        told = await self._trace_ids.told(principal.project_id, sent)
        return await masks.events(await self._media.of_events(body, told, principal.project_id))

    def _context(self, request: Request, principal: Principal) -> MappingContext:
        return MappingContext(principal.project_id, ingestion_facts(request.headers, principal), self._clock())


def _scores_alone(decoded: DecodedBatch) -> DecodedBatch:
    """A public key without its secret may write scores and no more."""
    reason = "A public key alone only writes scores: send the secret key too, with HTTP Basic authentication."
    refused = [
        EventError(event.id, 401, "Access denied", reason) for event in decoded.events if event.type != events.SCORE
    ]
    scores = [event for event in decoded.events if event.type == events.SCORE]
    return DecodedBatch(scores, [*decoded.errors, *refused], decoded.logs)


def _parts(found: list[Event]) -> Iterator[list[Event]]:
    for start in range(0, len(found), _PART_EVENTS):
        yield found[start : start + _PART_EVENTS]


def _answer(decoded: DecodedBatch) -> Response:
    told: BatchShape = {
        "successes": [{"id": event.id, "status": 201} for event in decoded.events],
        "errors": list(_errors(decoded.errors)),
    }
    return JSONResponse(told, 207)


def _errors(errors: Iterable[EventError]) -> Iterator[RefusedEvent]:
    for error in errors:
        yield {"id": error.id, "status": error.status, "message": error.message, "error": error.error}
