"""Hostile payloads are sent, and what was accepted of them is read back through the API."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from heliograph.settings import Settings
from tests.benchmarks.hostile.payloads import BATCH, JSON, Payload, payloads
from tests.benchmarks.stack import Stack, connect, until

_CALLERS, _TRIES = 4, 3
_PAGE = 500
_FIELDS = "core,basic,io,metadata,model,usage,metrics,trace_context"
_WHOLE_TRACES = 300
_SETTLE_SECONDS = 60.0
_FOLLOWING_SECONDS = 2.0
_FAULT = 500


@dataclass
class Answers:
    """What was answered, and what that promises."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    promised: dict[str, Payload] = field(default_factory=dict)
    faults: list[tuple[Payload, str]] = field(default_factory=list)
    refused: list[tuple[Payload, str]] = field(default_factory=list)
    broken: Counter[bytes] = field(default_factory=Counter)

    def note(self, payload: Payload, answer: httpx.Response) -> None:
        """Count an answer."""
        self.statuses[payload.kind, answer.status_code] += 1
        if answer.status_code >= _FAULT:
            self.faults.append((payload, answer.text))
        elif answer.status_code not in {200, 207}:
            if payload.is_sound:
                self.refused.append((payload, answer.text))
        else:
            accepted = _batch(payload, answer) if payload.path == BATCH else _export(payload, answer)
            self.promised.update(dict.fromkeys(accepted, payload))
            if not payload.ids <= accepted:
                self.refused.append((payload, answer.text))


@dataclass(frozen=True)
class Outcome:
    """The answers, how long they took with the drawing, the ids that were read, and traces that could not be."""

    answers: Answers
    seconds: float
    ids: set[str]
    unreadable: int

    @property
    def lost(self) -> list[str]:
        """The observations that were promised and not read."""
        return sorted(self.answers.promised.keys() - self.ids)

    @property
    def is_sound(self) -> bool:
        """Whether every promise was kept."""
        return not (self.answers.faults or self.answers.refused or self.lost or self.unreadable)

    @property
    def figures(self) -> Mapping[str, object]:
        """What to print."""
        statuses = sorted(self.answers.statuses.items())
        return {
            "payloads": sum(self.answers.statuses.values()),
            "seconds, drawing included": self.seconds,
            **{f"{kind}: {status}": count for (kind, status), count in statuses},
            "the server's faults": len(self.answers.faults),
            "connections broken": self.answers.broken.total(),
            "neighbours refused": len(self.answers.refused),
            "observations promised": len(self.answers.promised),
            "observations read": len(self.ids),
            "lost": len(self.lost),
            "traces unreadable": self.unreadable,
        }


def _batch(payload: Payload, answer: httpx.Response) -> set[str]:
    accepted = {one["id"] for one in answer.json()["successes"]}
    return {observation for event, observation in payload.events.items() if event in accepted}


def _export(payload: Payload, answer: httpx.Response) -> set[str]:
    if payload.content_type == JSON:
        rejected = int(answer.json().get("partialSuccess", {}).get("rejectedSpans", 0))
    else:
        rejected = ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans
    return set(payload.ids) if rejected <= payload.flawed or not payload.is_sound else set()


async def sent(stack: Stack, found: Iterable[Payload]) -> Answers:
    """Send all of them, some at a time."""
    answers, waiting = Answers(), iter(found)
    async with _client(stack) as http:

        async def caller() -> None:
            for payload in waiting:
                answers.note(payload, await _answer(http, payload, answers))

        await asyncio.gather(*(caller() for _ in range(_CALLERS)))
    return answers


async def _answer(http: httpx.AsyncClient, payload: Payload, answers: Answers) -> httpx.Response:
    headers = {"content-type": payload.content_type}
    while True:
        try:
            return await http.post(payload.path, content=payload.body, headers=headers)
        except httpx.TransportError:
            # An idle connection that was closed; a payload that closes its own does it again.
            answers.broken[payload.body] += 1
            if answers.broken[payload.body] == _TRIES:
                raise


async def read(stack: Stack) -> tuple[set[str], list[str]]:
    """The ids of every observation that the API returns, page by page, and of their traces."""
    ids: set[str] = set()
    traces: dict[str, None] = {}
    parameters: dict[str, str | int] = {"limit": _PAGE, "fields": _FIELDS}
    async with _client(stack) as http:
        while True:
            answer = await http.get("/api/public/v2/observations", params=parameters)
            answer.raise_for_status()
            page = answer.json()
            ids |= {one["id"] for one in page["data"]}
            traces |= {one["traceId"]: None for one in page["data"]}
            if not page["meta"].get("cursor"):
                return ids, list(traces)
            parameters["cursor"] = page["meta"]["cursor"]


async def unreadable(stack: Stack, traces: list[str]) -> int:
    """How many of some traces the older API does not return whole."""
    async with _client(stack) as http:
        answers = [
            await http.get(f"/api/public/traces/{one}") for one in traces[:: max(1, len(traces) // _WHOLE_TRACES)]
        ]
    return sum(not answer.is_success or not answer.json()["observations"] for answer in answers)


def _client(stack: Stack) -> httpx.AsyncClient:
    login = (stack.target.public_key, stack.target.secret_key)
    return httpx.AsyncClient(base_url=stack.target.url, auth=login, timeout=60)


async def run(number: int, seed: int, settings: Settings | None = None) -> Outcome:
    """Draw, send, wait, and read everything back."""
    stack = await connect("hostile", settings)
    started = time.monotonic()
    answers = await sent(stack, payloads(number, seed))
    seconds = time.monotonic() - started
    with suppress(TimeoutError):
        await until(lambda: stack.stored()[0] >= len(answers.promised), _SETTLE_SECONDS)
    # What was not promised may follow still.
    await asyncio.sleep(_FOLLOWING_SECONDS)
    ids, traces = await read(stack)
    return Outcome(answers, seconds, ids, await unreadable(stack, traces))
