"""The batch of a request: each event is checked alone, so that a bad one never costs its neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from heliograph.domain.errors import MalformedPayload
from ingestion import values
from ingestion.attributes import timing
from ingestion.batch import gen_ai_events, observation_fields, trace_fields
from ingestion.batch.rules import MAX_ID, Refused, object_of
from ingestion.merge import Fields
from ingestion.score_rules import BATCH_SOURCES, Rejected
from ingestion.scores import ScoreBody, validated
from ingestion.values import Value

TRACE, SCORE, SDK_LOG = "trace-create", "score-create", "sdk-log"


@dataclass(frozen=True)
class Event:
    """A valid event. `stamped_at` is the envelope's time in microseconds since 1970.

    Attributes:
        entity_id: of the trace, the observation or the score; '' only for a score that gets one from its content.
        trace_id: of an observation: '' when the event does not tell it.
        body: what was sent, as the log keeps it.
        fields: what the event sets, as text by field; nothing for a score.
        score: the score, for a score event.
    """

    id: str
    type: str
    stamped_at: int
    entity_id: str
    body: Mapping[str, Value]
    trace_id: str = ""
    fields: Fields = field(default_factory=dict)
    score: ScoreBody | None = None

    @property
    def stamp_id(self) -> str:
        """Orders events of the same time: creates before updates, then by id."""
        return f"{int(self.type.endswith('-update'))}{self.id}"

    def within(self, trace_id: str) -> "Event":
        """The same event, once its trace is known."""
        return self if self.trace_id == trace_id else replace(self, trace_id=trace_id)


@dataclass(frozen=True)
class EventError:
    """Why an event was refused: the body of its entry in the answer."""

    id: str
    status: int
    message: str
    error: str


@dataclass
class DecodedBatch:
    """The valid events of a request, what was wrong with the others, and logs, which are for the operator alone."""

    events: list[Event] = field(default_factory=list)
    errors: list[EventError] = field(default_factory=list)
    logs: list[Value] = field(default_factory=list)


def decode(body: bytes) -> DecodedBatch:
    """The events of a request body.

    Raises:
        MalformedPayload: it is not an object with an array `batch`.
    """
    try:
        parsed = values.from_body(body)
    except ValueError as error:
        reason = f"it is not JSON ({error})"
        raise MalformedPayload(reason) from error
    items = parsed.get("batch") if isinstance(parsed, dict) else None
    if not isinstance(items, list):
        reason = "a batch is a JSON object whose `batch` is an array of events"
        raise MalformedPayload(reason)
    decoded = DecodedBatch()
    for item in items:
        _sort(item, decoded)
    return decoded


def _sort(item: Value, decoded: DecodedBatch) -> None:
    try:
        envelope = object_of(item, "event")
        if envelope.get("type") == SDK_LOG:
            decoded.logs.append(envelope.get("body"))
        else:
            decoded.events.append(_event(envelope))
    except (Refused, Rejected) as refused:
        found = item.get("id") if isinstance(item, dict) else None
        decoded.errors.append(refusal(found if isinstance(found, str) and found else "unknown", refused))


def refusal(event_id: str, refused: Refused | Rejected) -> EventError:
    """What is told of an event that breaks a rule."""
    reason = f"{refused.field} {refused.reason}".strip()
    return EventError(values.clean(event_id), 400, "Invalid request data", values.clean(reason))


def _event(envelope: Mapping[str, Value]) -> Event:
    event_id, stamped_at = _id(envelope), _timestamp(envelope)
    kind = envelope.get("type")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Refused("type", f"must be one of {', '.join(KINDS)}")
    body = object_of(envelope.get("body"), "body")
    return event_of(event_id, kind, stamped_at, body=body)


def event_of(event_id: str, kind: str, stamped_at: int, *, body: Mapping[str, Value]) -> Event:
    """The event with its body checked; raises Refused or Rejected."""
    if kind == SCORE:
        score = validated(dict(body), BATCH_SOURCES)
        return Event(event_id, kind, stamped_at, score.id, body, score=score)
    if kind == TRACE:
        trace_id = trace_fields.entity_id(body)
        return Event(event_id, kind, stamped_at, trace_id, body, trace_id, trace_fields.fields(body))
    entity_id, trace_id = observation_fields.ids(body)
    if kind == gen_ai_events.KIND:
        return Event(event_id, kind, stamped_at, entity_id, body, trace_id, gen_ai_events.fields(body))
    return Event(event_id, kind, stamped_at, entity_id, body, trace_id, observation_fields.fields(body, kind))


def _id(envelope: Mapping[str, Value]) -> str:
    found = envelope.get("id")
    if not isinstance(found, str) or not 1 <= len(found) <= MAX_ID or "\r" in found:
        raise Refused("id", f"must be a string of 1 to {MAX_ID} characters without a carriage return")
    return values.clean(found)


def _timestamp(envelope: Mapping[str, Value]) -> int:
    found = envelope.get("timestamp")
    parsed = timing.parse(found) if isinstance(found, str) else None
    if parsed is None:
        raise Refused("timestamp", "must be an ISO 8601 time")
    return parsed


KINDS = (TRACE, SCORE, *observation_fields.TYPES, SDK_LOG)
