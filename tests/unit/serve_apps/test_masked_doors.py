"""Masking at every door, before anything is kept."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.masking import MaskingRule, RuleKind
from heliograph.outbound import CallFailed
from heliograph.settings import IngestSettings
from ingestion.masking.callback import Callbacks
from ingestion.masking.projects import Masking, Maskings, masking_of
from ingestion.otlp import PROTOBUF as OTLP
from ingestion.otlp import decode
from ingestion.otlp_document import resource_spans
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import IngestDependencies
from tests.unit.ingestion.masking_rules import detector
from tests.unit.serve_apps.doors import (
    JSON,
    KEY,
    PROTOBUF,
    SCORES,
    SECRET,
    TRACES,
    KeptInMemory,
    KeysInMemory,
    StoredInMemory,
    export,
    span,
)

EMAIL = "ann@mail.example"
AT = "2026-11-28T10:00:00Z"
CALLBACK = MaskingRule("c", RuleKind.CALLBACK, "https://mask.example/", is_fail_closed=True)


@dataclass
class RulesOfTheProject:
    """The same for every project; or not known."""

    rules: tuple[MaskingRule, ...] = ()
    is_known: bool = True

    def of(self, project_id: ProjectId) -> Masking:
        if not self.is_known:
            raise Unavailable("The list of masking rules", 2.0)
        return masking_of([rule for rule in self.rules if project_id])


@dataclass
class Rewriting:
    """Answers with what was sent but for the address; or fails."""

    is_away: bool = False
    seen: list[Mapping[str, str]] = field(default_factory=list)

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout: float, max_bytes: int
    ) -> bytes:
        del url, timeout, max_bytes
        self.seen.append(headers)
        if self.is_away:
            reason = "away"
            raise CallFailed(reason)
        return content.replace(EMAIL.encode(), b"[rewritten]")


def client(kept: KeptInMemory, maskings: Maskings, posts: Rewriting | None = None, *, inline: int = 1 << 18) -> Any:
    dependencies = IngestDependencies(
        KeysInMemory(),
        kept,
        StoredInMemory(),
        IngestSettings(slice_above_bytes=inline),
        maskings=maskings,
        callbacks=Callbacks(posts or Rewriting()),
    )
    transport = httpx.ASGITransport(ingest_application(dependencies), root_path="/ingest")
    return httpx.AsyncClient(transport=transport, base_url="http://heliograph/ingest", auth=(KEY, SECRET))


def event(kind: str, **body: Any) -> dict[str, Any]:
    return {"id": kind, "type": kind, "timestamp": AT, "body": body}


SPAN = export(span(1, input=f"to {EMAIL}"))
REQUESTS: dict[str, tuple[str, dict[str, str], bytes]] = {
    "protobuf": (TRACES, PROTOBUF, SPAN),
    "json": (TRACES, JSON, orjson.dumps({"resourceSpans": resource_spans(decode(SPAN, OTLP))})),
    "batch": (
        "/api/public/ingestion",
        JSON,
        orjson.dumps(
            {
                "batch": [
                    event("trace-create", id="t", input=EMAIL),
                    event("span-create", id="s", traceId="t", metadata={"a": [EMAIL]}),
                    event("score-create", traceId="t", name="n", value=1, comment=EMAIL),
                ]
            }
        ),
    ),
    "trace": ("/api/public/traces", JSON, orjson.dumps({"id": "t", "output": EMAIL})),
    "span": ("/api/public/spans", JSON, orjson.dumps({"traceId": "t", "input": EMAIL})),
    "generation": ("/api/public/generations", JSON, orjson.dumps({"traceId": "t", "prompt": EMAIL})),
    "event": ("/api/public/events", JSON, orjson.dumps({"traceId": "t", "statusMessage": EMAIL})),
    "score": (SCORES, JSON, orjson.dumps({"traceId": "t", "name": "n", "value": "v", "comment": EMAIL})),
    "scores": (SCORES, JSON, orjson.dumps([{"traceId": "t", "name": "n", "value": EMAIL, "comment": "c"}])),
}


def everything(kept: KeptInMemory) -> str:
    return str([table.to_pylist() for batch in kept.batches for table in (batch.records, *batch.row_tables)])


@pytest.mark.parametrize("inline", [1 << 18, 1], ids=["small", "in parts"])
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_a_rule_holds_at_every_door(request_: tuple[str, dict[str, str], bytes], inline: int) -> None:
    path, headers, body = request_
    kept = KeptInMemory()
    async with client(kept, RulesOfTheProject((detector("email"),)), inline=inline) as http:
        answer = await http.post(path, content=body, headers=headers)
    assert answer.is_success, answer.text
    assert EMAIL not in everything(kept)
    assert "[email]" in everything(kept)


@pytest.mark.parametrize("inline", [1 << 18, 1], ids=["small", "in parts"])
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_a_callback_is_asked_at_every_door(request_: tuple[str, dict[str, str], bytes], inline: int) -> None:
    path, headers, body = request_
    kept, posts = KeptInMemory(), Rewriting()
    async with client(kept, RulesOfTheProject((CALLBACK,)), posts, inline=inline) as http:
        answer = await http.post(path, content=body, headers=headers)
    assert answer.is_success, answer.text
    assert EMAIL not in everything(kept)
    assert "[rewritten]" in everything(kept)
    assert [seen["X-Langfuse-Project-Id"] for seen in posts.seen] == ["project-1"]


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_nothing_is_kept_while_a_closed_callback_fails(request_: tuple[str, dict[str, str], bytes]) -> None:
    path, headers, body = request_
    kept = KeptInMemory()
    async with client(kept, RulesOfTheProject((CALLBACK,)), Rewriting(is_away=True)) as http:
        answer = await http.post(path, content=body, headers=headers)
    assert (answer.status_code, kept.batches) == (503, [])
    assert "retry-after" in answer.headers


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_nothing_is_kept_while_the_rules_are_not_known(request_: tuple[str, dict[str, str], bytes]) -> None:
    path, headers, body = request_
    kept = KeptInMemory()
    async with client(kept, RulesOfTheProject(is_known=False)) as http:
        answer = await http.post(path, content=body, headers=headers)
    assert (answer.status_code, kept.batches) == (503, [])


async def test_small_exports_that_arrive_together_are_masked_each_by_its_callback() -> None:
    kept, posts = KeptInMemory(), Rewriting()
    async with client(kept, RulesOfTheProject((CALLBACK,)), posts) as http:
        bodies = [export(span(number, input=EMAIL)) for number in range(1, 9)]
        answers = await asyncio.gather(*(http.post(TRACES, content=body, headers=PROTOBUF) for body in bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert len(kept.ids()) == len(posts.seen) == 8
    assert EMAIL not in everything(kept)
