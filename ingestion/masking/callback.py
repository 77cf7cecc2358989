"""The masking callback: a service of the project's own rewrites a request before anything of it is kept."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import structlog

from heliograph.domain.errors import HeliographError, InvalidRequest, Unavailable
from heliograph.domain.identifiers import OrganizationId, ProjectId
from heliograph.domain.masking import MaskingRule
from heliograph.outbound import CallFailed
from ingestion import otlp, otlp_document, score_rules, values
from ingestion.batch.events import Event, event_of
from ingestion.batch.rules import Refused
from ingestion.score_rules import Rejected
from ingestion.scores import ScoreBody
from ingestion.values import Value

log = structlog.get_logger(__name__)

# Where the contract's callback sees OTLP alone, ours sees everything; this header tells what it is shown.
PAYLOAD_HEADER = "X-Heliograph-Payload"
RESOURCE_SPANS, EVENTS, SCORES = "resourceSpans", "events", "scores"
_RETRY_AFTER_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
# An answer may be longer than what was sent, within reason.
_MARGIN_BYTES = 1 << 20

Payload = TypeVar("Payload")


class Posts(Protocol):
    """What calls; see `heliograph.outbound`."""

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout: float, max_bytes: int
    ) -> bytes:
        """The body of the answer. Raises CallFailed."""
        ...


@dataclass(frozen=True)
class Origin:
    """Whose request it is, and its headers, which a callback may be given some of."""

    organization_id: OrganizationId
    project_id: ProjectId
    headers: Mapping[str, str]


@dataclass(frozen=True)
class _Form(Generic[Payload]):
    """How a payload is shown, and made again of what comes back, which raises what says that it is not that."""

    name: str
    shown: Callable[[Payload], object]
    again: Callable[[Payload, Value], Payload]


class Callbacks:
    """Asks a project's callbacks, one after the other.

    When one fails, what it was to mask is taken without it, or refused with Unavailable: its rule tells which.

    Args:
        posts: what calls.
        timeout_seconds: for one attempt.
        attempts: how many there are.
    """

    def __init__(self, posts: Posts, timeout_seconds: float = 0.5, attempts: int = 2) -> None:
        self._posts = posts
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts

    async def export(
        self, export: otlp.ExportTraceServiceRequest, rules: Sequence[MaskingRule], origin: Origin
    ) -> otlp.ExportTraceServiceRequest:
        """The export as the callbacks give it back."""
        return await self._asked(
            export, rules, origin, form=_Form(RESOURCE_SPANS, otlp_document.resource_spans, _export)
        )

    async def events(self, events: list[Event], rules: Sequence[MaskingRule], origin: Origin) -> list[Event]:
        """The events of a batch with the bodies that the callbacks give back."""
        return (
            await self._asked(events, rules, origin, form=_Form(EVENTS, _shown_events, _events)) if events else events
        )

    async def scores(self, bodies: list[ScoreBody], rules: Sequence[MaskingRule], origin: Origin) -> list[ScoreBody]:
        """The scores with the texts that the callbacks give back."""
        return (
            await self._asked(bodies, rules, origin, form=_Form(SCORES, _shown_scores, _scores)) if bodies else bodies
        )

    async def _asked(
        self, payload: Payload, rules: Sequence[MaskingRule], origin: Origin, *, form: _Form[Payload]
    ) -> Payload:
        for rule in rules:
            try:
                payload = await self._ask(payload, rule, origin, form=form)
            except CallFailed as failure:
                kept = "refused" if rule.is_fail_closed else "taken unmasked by it"
                log.warning("masking_callback_failed", project=origin.project_id, reason=str(failure), request=kept)
                if rule.is_fail_closed:
                    raise Unavailable("The masking callback of this project", _RETRY_AFTER_SECONDS) from None
        return payload

    async def _ask(self, payload: Payload, rule: MaskingRule, origin: Origin, *, form: _Form[Payload]) -> Payload:
        loop = asyncio.get_running_loop()
        content = await loop.run_in_executor(None, lambda: values.to_json(form.shown(payload)).encode())
        answer = await self._answer(content, rule, _headers(rule, origin, form.name))
        return await loop.run_in_executor(None, _understood, form, payload, answer)

    async def _answer(self, content: bytes, rule: MaskingRule, headers: Mapping[str, str]) -> bytes:
        failure = CallFailed("it was not called")
        for attempt in range(self._attempts):
            if attempt:
                await asyncio.sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                return await self._posts.post(
                    rule.target,
                    content,
                    headers,
                    timeout=self._timeout_seconds,
                    max_bytes=4 * len(content) + _MARGIN_BYTES,
                )
            except CallFailed as failed:
                failure = failed
        raise failure


def _headers(rule: MaskingRule, origin: Origin, payload: str) -> dict[str, str]:
    passed_on = {name: origin.headers[name] for name in rule.headers if name in origin.headers}
    return {
        **passed_on,
        "X-Langfuse-Org-Id": origin.organization_id,
        "X-Langfuse-Project-Id": origin.project_id,
        PAYLOAD_HEADER: payload,
    }


def _understood(form: _Form[Payload], payload: Payload, answer: bytes) -> Payload:
    try:
        return form.again(payload, values.from_json(answer))
    except (ValueError, RecursionError, Refused, Rejected, HeliographError):
        reason = "its answer does not have the form of what it was sent"
        raise CallFailed(reason) from None


def _export(sent: otlp.ExportTraceServiceRequest, answer: Value) -> otlp.ExportTraceServiceRequest:
    """Spans may be missing from the answer, which drops them."""
    found = answer.get("resourceSpans") if isinstance(answer, dict) else answer
    if not isinstance(found, list):
        raise InvalidRequest("resourceSpans", "must be a list")
    return replace(otlp.decode(values.to_json({"resourceSpans": found}).encode(), otlp.JSON), first=sent.first)


def _shown_events(events: list[Event]) -> list[dict[str, Any]]:
    return [{"id": event.id, "type": event.type, "body": dict(event.body)} for event in events]


def _events(sent: list[Event], answer: Value) -> list[Event]:
    return [_event(event, shown) for event, shown in zip(sent, _as_many(sent, answer), strict=True)]


def _event(event: Event, shown: Value) -> Event:
    match shown:
        case {"id": event.id, "body": dict(body)}:
            again = event_of(event.id, event.type, event.stamped_at, body=body)
            if again.entity_id == event.entity_id and again.trace_id in {"", event.trace_id}:
                return _numbered_like(event, again.within(event.trace_id))
    raise InvalidRequest("events", "must be those that were sent, with other bodies")


def _numbered_like(sent: Event, again: Event) -> Event:
    """The event with the number that a config gave its category, whatever its text has become."""
    if sent.score is None or again.score is None or again.score.data_type != score_rules.CATEGORICAL:
        return again
    return replace(again, score=replace(again.score, value=sent.score.value))


def _shown_scores(bodies: list[ScoreBody]) -> list[dict[str, Any]]:
    return [
        {"name": body.name, "value": body.text, "comment": body.comment, "metadata": dict(body.metadata)}
        for body in bodies
    ]


def _scores(sent: list[ScoreBody], answer: Value) -> list[ScoreBody]:
    return [_score(body, shown) for body, shown in zip(sent, _as_many(sent, answer), strict=True)]


def _score(body: ScoreBody, shown: Value) -> ScoreBody:
    match shown:
        case {"value": str(text), "comment": str(comment), "metadata": dict(metadata)}:
            texts = {key: values.text(value) for key, value in metadata.items()}
            return replace(body, text=text, comment=comment, metadata=texts)
    raise InvalidRequest("scores", "must be those that were sent, with other texts")


def _as_many(sent: Sequence[object], answer: Value) -> list[Value]:
    if not isinstance(answer, list) or len(answer) != len(sent):
        raise InvalidRequest("answer", "must be a list as long as what was sent")
    return answer
