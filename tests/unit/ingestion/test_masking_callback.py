"""The masking callback: what it is sent, and what becomes of its answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import OrganizationId, ProjectId
from heliograph.domain.masking import MaskingRule, RuleKind
from heliograph.outbound import CallFailed
from ingestion import otlp, otlp_document, scores
from ingestion.batch.events import decode
from ingestion.masking.callback import Callbacks, Origin
from tests.unit.ingestion.spans import event, export, span, status

ORIGIN = Origin(OrganizationId("org"), ProjectId("project"), {"x-tenant": "blue", "authorization": "Basic secret"})
OPEN = MaskingRule("1", RuleKind.CALLBACK, "https://mask.example/", headers=("x-tenant", "x-absent"))
CLOSED = MaskingRule("1", RuleKind.CALLBACK, "https://mask.example/", is_fail_closed=True)
NOTHING_SENT: list[Any] = []


@dataclass
class Answering:
    """Answers every call with what the function makes of what was sent."""

    answer: Callable[[Any], Any]
    calls: list[tuple[str, Any, Mapping[str, str]]] = field(default_factory=list)

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout: float, max_bytes: int
    ) -> bytes:
        del timeout, max_bytes
        self.calls.append((url, orjson.loads(content), headers))
        answer = self.answer(orjson.loads(content))
        return answer if isinstance(answer, bytes) else orjson.dumps(answer)


@dataclass
class Failing:
    """Fails so often before it gives everything back."""

    times: int
    calls: int = 0

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout: float, max_bytes: int
    ) -> bytes:
        del url, headers, timeout, max_bytes
        self.calls += 1
        if self.calls <= self.times:
            reason = "away"
            raise CallFailed(reason)
        return content


def decoded() -> otlp.ExportTraceServiceRequest:
    attributes = {"s": "text", "n": -5, "f": 1.5, "b": True, "raw": b"\x00\xff", "l": ["a", {"k": [1]}], "none": None}
    sent = span(attributes, events=[event("e", {"k": "v"})], status=status(2, "bad"), trace_state="a=b", flags=256)
    sent.links.add(trace_id=b"l" * 16, span_id=b"m" * 8)
    return otlp.decode(export([sent, span({"second": "x"})], resource={"host": "h"}), otlp.PROTOBUF)


def shown_as(export: otlp.ExportTraceServiceRequest) -> object:
    return otlp_document.resource_spans(export)


async def test_an_export_that_comes_back_as_it_was_sent_is_the_same() -> None:
    sent, posts = decoded(), Answering(lambda shown: shown)
    assert shown_as(await Callbacks(posts).export(sent, [OPEN], ORIGIN)) == shown_as(sent)
    ((url, shown, headers),) = posts.calls
    assert url == "https://mask.example/"
    assert shown[0]["scopeSpans"][0]["spans"][0]["attributes"][0] == {"key": "s", "value": {"stringValue": "text"}}
    assert headers == {
        "x-tenant": "blue",
        "X-Langfuse-Org-Id": "org",
        "X-Langfuse-Project-Id": "project",
        "X-Heliograph-Payload": "resourceSpans",
    }


async def test_what_comes_back_takes_the_place_of_what_was_sent() -> None:
    def without_text(shown: Any) -> Any:
        spans = shown[0]["scopeSpans"][0]["spans"]
        spans[0]["attributes"] = [{"key": "s", "value": {"stringValue": "***"}}]
        return {"resourceSpans": [{**shown[0], "scopeSpans": [{"spans": spans[:1]}]}]}

    answered = await Callbacks(Answering(without_text)).export(decoded(), [OPEN], ORIGIN)
    assert answered.span_count == 1
    assert b"***" in answered.scopes[0].spans[0]
    assert b"text" not in answered.scopes[0].spans[0]


async def test_several_callbacks_see_what_those_before_them_have_left() -> None:
    posts = Answering(lambda shown: [{**shown[0], "schemaUrl": shown[0]["schemaUrl"] + "x"}])
    answered = await Callbacks(posts).export(decoded(), [OPEN, OPEN], ORIGIN)
    assert answered.scopes[0].resource_schema_url == b"xx"


async def test_a_second_attempt_succeeds() -> None:
    posts = Failing(1)
    assert shown_as(await Callbacks(posts).export(decoded(), [CLOSED], ORIGIN)) == shown_as(decoded())
    assert posts.calls == 2


async def test_when_it_fails_an_open_one_lets_everything_pass() -> None:
    assert await Callbacks(Failing(2)).export(decoded(), [OPEN], ORIGIN) == decoded()


async def test_when_it_fails_a_closed_one_lets_nothing_pass() -> None:
    with pytest.raises(Unavailable, match="masking callback"):
        await Callbacks(Failing(2)).export(decoded(), [CLOSED], ORIGIN)


@pytest.mark.parametrize(
    "answer",
    [b"", b"no json", b"null", b'"text"', b"[1]", b"{}", b'[{"scopeSpans": 1}]', b'{"resourceSpans": {}}'],
)
async def test_an_answer_of_another_form_is_a_failure(answer: bytes) -> None:
    posts = Answering(lambda _: answer)
    with pytest.raises(Unavailable):
        await Callbacks(posts).export(decoded(), [CLOSED], ORIGIN)
    assert await Callbacks(posts).export(decoded(), [OPEN], ORIGIN) == decoded()


BATCH = orjson.dumps(
    {
        "batch": [
            {"id": "1", "type": "trace-create", "timestamp": "2026-11-28T10:00:00Z", "body": {"id": "t", "input": "x"}},
            {
                "id": "2", "type": "score-create", "timestamp": "2026-11-28T10:00:00Z",
                "body": {"traceId": "t", "name": "n", "value": 1, "comment": "x"},
            },
        ]
    }
)  # fmt: skip


async def test_events_get_the_bodies_that_come_back() -> None:
    def hidden(shown: Any) -> Any:
        shown[0]["body"]["input"] = "***"
        shown[1]["body"]["comment"] = "***"
        return shown

    posts = Answering(hidden)
    first, second = await Callbacks(posts).events(decode(BATCH).events, [OPEN], ORIGIN)
    assert first.fields["input"] == "***"
    assert second.score is not None
    assert second.score.comment == "***"
    assert posts.calls[0][2]["X-Heliograph-Payload"] == "events"


@pytest.mark.parametrize(
    "change",
    [
        lambda shown: shown[:1],
        lambda shown: [shown[1], shown[0]],
        lambda shown: [{**shown[0], "body": {**shown[0]["body"], "id": "other"}}, shown[1]],
        lambda shown: [{**shown[0], "body": {**shown[0]["body"], "tags": 5}}, shown[1]],
        lambda shown: [shown[0], {**shown[1], "body": "text"}],
    ],
)
async def test_events_that_are_not_those_that_were_sent_are_a_failure(change: Callable[[Any], Any]) -> None:
    with pytest.raises(Unavailable):
        await Callbacks(Answering(change)).events(decode(BATCH).events, [CLOSED], ORIGIN)


async def test_scores_get_the_texts_that_come_back() -> None:
    bodies = scores.decode(b'{"name": "n", "value": "v", "traceId": "t", "comment": "x", "metadata": {"a": 1}}').bodies
    posts = Answering(lambda shown: [{**shown[0], "comment": "***", "metadata": {"a": "***"}}])
    (body,) = await Callbacks(posts).scores(bodies, [OPEN], ORIGIN)
    assert (body.comment, body.metadata, body.text, body.trace_id) == ("***", {"a": "***"}, "v", "t")


async def test_nothing_is_asked_about_nothing() -> None:
    posts = Answering(lambda _: pytest.fail("it was called"))
    assert await Callbacks(posts).events([], [OPEN], ORIGIN) == NOTHING_SENT
    assert await Callbacks(posts).scores([], [OPEN], ORIGIN) == NOTHING_SENT
