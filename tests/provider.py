"""An OpenAI-compatible provider that is slow, limited, down, malformed or refusing to order, and counts its calls.

`python -m tests.provider --port 9100 --latency 0.2` runs it beside a stack.
"""

import argparse
import asyncio
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.batch_provider import Batches

Json = dict[str, Any]
Reply = tuple[int, dict[str, str], Json]

VERDICT = json.dumps({"reasoning": "It says what was asked for.", "score": 4})


def completion(text: str, *, refusal: str | None = None, finish_reason: str = "stop") -> Reply:
    """A chat completion with this text."""
    message = {"role": "assistant", "content": None if refusal else text, "refusal": refusal}
    body: Json = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_000_000, "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 30, "total_tokens": 230},
    }  # fmt: skip
    return 200, {}, body


def error(status: int, message: str, *, code: str | None = None, retry_after: float | None = None) -> Reply:
    """An error in OpenAI's shape."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return status, headers, {"error": {"message": message, "type": "error", "param": None, "code": code}}


def limited(retry_after: float = 0.05) -> Reply:
    return error(429, "Rate limit reached for requests", code="rate_limit_exceeded", retry_after=retry_after)


def outage() -> Reply:
    return error(503, "The server is overloaded")


@dataclass
class Provider:
    """What the provider does, which may be changed while it runs, and what it has seen.

    `plan` answers the n-th call, counted from 0, before anything else does; None leaves the call to `reply`.
    """

    latency_seconds: float = 0.0
    requests_per_second: float = 0.0
    # Between the words of a streamed answer.
    piece_seconds: float = 0.0
    plan: Callable[[int, Json], Reply | None] = lambda _number, _request: None
    reply: Callable[[Json], Reply] = lambda _request: completion(VERDICT)
    statuses: Counter[int] = field(default_factory=Counter)
    requests: list[Json] = field(default_factory=list)
    keeps_requests: bool = True
    most_at_once: int = 0
    url: str = ""
    batches: Batches = field(init=False)
    _calls: int = 0
    _open: int = 0
    _window: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.batches = Batches(self._replied)

    def _replied(self, request: Json) -> Reply:
        return self.reply(request)

    async def answer(self, request: Json) -> Reply:
        """The reply to one call, after the latency where it is served."""
        number, self._calls = self._calls, self._calls + 1
        if self.keeps_requests:
            self.requests.append(request)
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        try:
            found = limited(0.2) if self._is_over_limit() else self.plan(number, request) or self.reply(request)
            if found[0] == 200 and self.latency_seconds:
                await asyncio.sleep(self.latency_seconds)
        finally:
            self._open -= 1
        self.statuses[found[0]] += 1
        return found

    def _is_over_limit(self) -> bool:
        """Whether this second, in fifths, has used its requests."""
        if not self.requests_per_second:
            return False
        fifth = int(time.monotonic() * 5)
        used = self._window[1] + 1 if self._window[0] == fifth else 1
        self._window = (fifth, used)
        return used > self.requests_per_second / 5


async def _converse(provider: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Requests of one connection, one after another."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            content = await reader.readexactly(length)
            method, path = head.split(b" ", 2)[:2]
            if path.startswith((b"/v1/files", b"/v1/batches")):
                status, told = provider.batches.answer(method.decode(), path.decode(), content)
                _write(writer, status, {}, told)
                await writer.drain()
                continue
            request = json.loads(content or b"{}")
            status, headers, body = await provider.answer(request)
            if request.get("stream") and status == 200:
                await _stream(writer, body, provider.piece_seconds)
                continue
            _write(writer, status, headers, json.dumps(body).encode())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _write(writer: asyncio.StreamWriter, status: int, headers: dict[str, str], content: bytes) -> None:
    lines = [f"HTTP/1.1 {status} Status", "content-type: application/json", f"content-length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


async def _stream(writer: asyncio.StreamWriter, body: Json, piece_seconds: float) -> None:
    """A completion as server-sent events, a word at a time, then what it used."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    shown = {key: body[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    message, end = body["choices"][0]["message"], body["choices"][0]["finish_reason"]
    words = re.findall(r"\S+\s*", message["content"] or "")
    deltas: list[Json] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    deltas += [{"tool_calls": [call | {"index": at}]} for at, call in enumerate(message.get("tool_calls") or [])]
    events = [shown | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append(shown | {"choices": [{"index": 0, "delta": {}, "finish_reason": end}]})
    events.append(shown | {"choices": [], "usage": body["usage"]})
    for event in [*map(json.dumps, events), "[DONE]"]:
        line = f"data: {event}\n\n".encode()
        writer.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        await writer.drain()
        await asyncio.sleep(piece_seconds)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _serve(provider: Provider, port: int, is_up: threading.Event, until: asyncio.Event) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _converse(provider, reader, writer)

    server = await asyncio.start_server(converse, "127.0.0.1", port, backlog=1_024)
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    is_up.set()
    await until.wait()
    server.close()
    open_connections = asyncio.all_tasks() - {asyncio.current_task()}
    for task in open_connections:
        task.cancel()
    await asyncio.gather(*open_connections, return_exceptions=True)


@contextmanager
def serving(provider: Provider, *, port: int = 0) -> Iterator[Provider]:
    """The provider on a port of this machine, in a thread, until the context ends; `url` is its address."""
    loop, is_up = asyncio.new_event_loop(), threading.Event()
    until = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(_serve(provider, port, is_up, until)), daemon=True
    )  # fmt: skip
    thread.start()
    assert is_up.wait(10)
    try:
        yield provider
    finally:
        loop.call_soon_threadsafe(until.set)
        thread.join(10)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds")
    parser.add_argument("--limit", type=float, default=0.0, help="requests a second; 0 has no limit")
    given = parser.parse_args()
    provider = Provider(given.latency, given.limit, keeps_requests=False)
    with serving(provider, port=given.port):
        print(provider.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
