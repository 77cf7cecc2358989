"""The demo, sent through the real SDK to a door that records what it gets."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from heliograph.domain.errors import KeyUnknown, Unavailable
from operations import demo
from tests.local_server import Answer, Request, answering

ENDS_AT = datetime(2026, 11, 20, 16, 40, tzinfo=UTC)
JSON = {"content-type": "application/json"}
PROJECT = {"id": "p", "name": "demo", "metadata": {}, "organization": {"id": "o", "name": "Lumen"}}


@dataclass
class Recorder:
    """What the door has received."""

    url: str = ""
    status: int = 200
    spans: list[Span] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    steps: list[tuple[str, int, int]] = field(default_factory=list)

    def progress(self, stage: str, done: int, total: int) -> None:
        self.steps.append((stage, done, total))


@contextmanager
def recording(recorder: Recorder) -> Iterator[Recorder]:
    def answer(request: Request) -> Answer:
        if request.method == "GET":
            return Answer(recorder.status, json.dumps({"data": [PROJECT]}).encode(), JSON)
        body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
        if request.path.endswith("/otel/v1/traces"):
            export = ExportTraceServiceRequest.FromString(body)
            recorder.spans += [s for r in export.resource_spans for scope in r.scope_spans for s in scope.spans]
            return Answer(200, headers=JSON)
        recorder.scores += json.loads(body)
        return Answer(202, b'{"message": "Accepted"}', JSON)

    with answering(answer) as recorder.url:
        yield recorder


def sent_with(public_key: str) -> Recorder:
    with recording(Recorder()) as recorder:
        demo.run(recorder.url, public_key, "sk-lf-demo", progress=recorder.progress, ends_at=ENDS_AT)
    return recorder


@pytest.fixture(scope="module")
def sent() -> Recorder:
    return sent_with("pk-lf-demo")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording(Recorder(status=401)) as recorder:
        yield recorder


def attributes(span: Span) -> dict[str, Any]:
    return {
        entry.key: getattr(entry.value, entry.value.WhichOneof("value") or "string_value") for entry in span.attributes
    }


def values(sent: Recorder, key: str) -> Counter[str]:
    return Counter(str(attributes(span)[key]) for span in sent.spans if key in attributes(span))


def test_about_three_hundred_traces_arrive_whole(sent: Recorder) -> None:
    roots = [span for span in sent.spans if not span.parent_span_id]
    ids = {span.span_id for span in sent.spans}
    assert 290 <= len(roots) <= 320
    assert len({span.trace_id for span in sent.spans}) == len(roots)
    assert all(span.parent_span_id in ids for span in sent.spans if span.parent_span_id)


def test_traces_lie_in_the_past_week_and_children_within_their_parents(sent: Recorder) -> None:
    by_id = {span.span_id: span for span in sent.spans}
    times = [datetime.fromtimestamp(span.end_time_unix_nano / 1e9, UTC) for span in sent.spans]
    assert ENDS_AT - timedelta(days=7) <= min(times)
    assert max(times) <= ENDS_AT
    for span in sent.spans:
        parent = by_id.get(span.parent_span_id, span)
        assert parent.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= parent.end_time_unix_nano


def test_every_day_has_traffic(sent: Recorder) -> None:
    days = {datetime.fromtimestamp(span.start_time_unix_nano / 1e9, UTC).date() for span in sent.spans}
    assert len(days) == demo.DAYS


def test_the_kinds_of_observation_are_varied(sent: Recorder) -> None:
    kinds = set(values(sent, "langfuse.observation.type"))
    assert kinds >= {"agent", "tool", "generation", "retriever", "embedding", "guardrail", "evaluator", "chain", "span"}


def test_environments_releases_models_and_levels_are_varied(sent: Recorder) -> None:
    assert set(values(sent, "langfuse.environment")) == {"production", "staging"}
    assert set(values(sent, "langfuse.release")) == set(demo.RELEASES)
    assert len(values(sent, "langfuse.observation.model.name")) >= 6
    assert set(values(sent, "langfuse.observation.level")) >= {"ERROR", "WARNING"}
    assert len(values(sent, "user.id")) > 20


def test_sessions_have_several_traces(sent: Recorder) -> None:
    traces: dict[str, set[bytes]] = {}
    for span in sent.spans:
        if session_id := attributes(span).get("session.id"):
            traces.setdefault(session_id, set()).add(span.trace_id)
    assert max(map(len, traces.values())) >= 3


def test_streamed_generations_tell_their_first_token(sent: Recorder) -> None:
    streamed = values(sent, "langfuse.observation.completion_start_time")
    assert sum(streamed.values()) > 100


def test_usage_tells_cached_tokens(sent: Recorder) -> None:
    usages = [json.loads(usage) for usage in values(sent, "langfuse.observation.usage_details")]
    assert any(usage.get("input_cached_tokens") for usage in usages)
    assert any(usage.get("cache_read_input_tokens") for usage in usages)


def test_scores_are_of_three_types_and_within_the_week(sent: Recorder) -> None:
    assert {score["dataType"] for score in sent.scores} == {"NUMERIC", "BOOLEAN", "CATEGORICAL"}
    assert len({score["id"] for score in sent.scores}) == len(sent.scores)
    assert all(datetime.fromisoformat(score["timestamp"]) <= ENDS_AT for score in sent.scores)
    assert any("sessionId" in score for score in sent.scores)


def test_generations_of_the_agent_name_their_prompt(sent: Recorder) -> None:
    assert values(sent, "langfuse.observation.prompt.name")["support-agent"] > 100


def test_progress_ends_at_its_total(sent: Recorder) -> None:
    _, done, total = sent.steps[-1]
    assert done == total


def test_a_second_demo_sends_the_same_traces(sent: Recorder) -> None:
    again = sent_with("pk-lf-another")
    assert {span.span_id for span in again.spans} == {span.span_id for span in sent.spans}
    assert {score["id"] for score in again.scores} == {score["id"] for score in sent.scores}


def test_wrong_keys_are_named(recorder: Recorder) -> None:
    with pytest.raises(KeyUnknown):
        demo.run(recorder.url, "pk-lf-wrong", "sk-lf-wrong", progress=recorder.progress)


def test_a_closed_door_is_named() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        demo.run("http://127.0.0.1:9", "pk-lf-nobody", "sk-lf-nobody", progress=lambda *_: None)
