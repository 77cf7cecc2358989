"""An OpenAI-compatible server with answers that never change: chat, tools, streams, responses and embeddings."""

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CREATED = 1_795_000_000
ANSWER = "The capital of France is Paris."
# In characters: a client gets a stream in several pieces.
_PIECE = 12
# A prompt that says one of these orders it.
FAILURE, SLOWNESS = "[fail]", "[slow]"
_SLOW_SECONDS = 0.3
# Between the calls of one program: spans without any duration show nothing.
_SECONDS = 0.01

Json = dict[str, Any]


def usage(prompt: int = 20, completion: int = 8) -> Json:
    """What a chat completion says it used: a part of the prompt came from the cache."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 2, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    }  # fmt: skip


def answer_to(request: Json) -> Json:
    """The assistant's message: a tool is called once where tools are offered, its result is answered in words."""
    messages = request.get("messages", [])
    offered = [tool["function"]["name"] for tool in request.get("tools") or []]
    chosen = next((name for name in offered if not name.startswith("final")), offered[0] if offered else "")
    is_answered = any(message.get("role") in ("tool", "tool-response") for message in messages)
    if chosen and not is_answered:
        return _calling(chosen, {"city": "Paris"})
    if "final_answer" in offered:
        return _calling("final_answer", {"answer": ANSWER})
    return {"role": "assistant", "content": ANSWER, "refusal": None}


def _calling(name: str, arguments: Json) -> Json:
    call = {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    return {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}


def completion(request: Json) -> Json:
    """The body of a chat completion."""
    message = answer_to(request)
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": CREATED, "model": served(request),
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": usage(), "system_fingerprint": "fp_1", "service_tier": "default",
    }  # fmt: skip


def served(request: Json) -> str:
    """The dated model behind an alias, as OpenAI answers."""
    model = str(request.get("model", ""))
    return f"{model}-2024-07-18" if model == "gpt-4o-mini" else model


def chunks(request: Json) -> Iterator[Json]:
    """The same answer as a stream."""
    whole = completion(request)
    choice = whole["choices"][0]
    head = {**whole, "object": "chat.completion.chunk", "usage": None}
    for delta in _deltas(choice["message"]):
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    if (request.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": whole["usage"]}


def _deltas(message: Json) -> Iterator[Json]:
    content = message["content"] or ""
    yield {"role": "assistant", "content": "" if content else None}
    for start in range(0, len(content), _PIECE):
        yield {"content": content[start : start + _PIECE]}
    for index, call in enumerate(message.get("tool_calls", [])):
        yield {"tool_calls": [{**call, "index": index}]}


def response(request: Json) -> Json:
    """The body of OpenAI's Responses API."""
    given = request.get("input")
    items = given if isinstance(given, list) else []
    tools = [tool for tool in request.get("tools") or [] if tool.get("type") == "function"]
    is_answered = any(item.get("type") == "function_call_output" for item in items)
    if tools and not is_answered:
        output: Json = {
            "id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1", "name": tools[0]["name"],
            "arguments": json.dumps({"city": "Paris"}),
        }  # fmt: skip
    else:
        text = {"type": "output_text", "text": ANSWER, "annotations": [], "logprobs": []}
        output = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [text]}
    return {
        "id": "resp_1", "object": "response", "created_at": CREATED, "status": "completed", "error": None,
        "incomplete_details": None, "instructions": request.get("instructions"), "max_output_tokens": None,
        "model": served(request), "output": [output], "parallel_tool_calls": True, "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None}, "store": True, "temperature": 1.0,
        "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": request.get("tools") or [], "top_p": 1.0,
        "truncation": "disabled", "user": None, "metadata": {},
        "usage": {
            "input_tokens": 20, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
            "output_tokens": 8, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 28,
        },
    }  # fmt: skip


def response_events(request: Json) -> Iterator[Json]:
    """The same as a stream."""
    whole = response(request)
    item = whole["output"][0]
    started = {**whole, "status": "in_progress", "output": [], "usage": None}
    events: list[Json] = [{"type": "response.created", "response": started}]
    events.append({"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress"}})
    if item["type"] == "message":
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        empty = {**item["content"][0], "text": ""}
        events.append({"type": "response.content_part.added", **place, "part": empty})
        events.extend(
            {"type": "response.output_text.delta", **place, "delta": ANSWER[start : start + _PIECE], "logprobs": []}
            for start in range(0, len(ANSWER), _PIECE)
        )
        events.append({"type": "response.output_text.done", **place, "text": ANSWER, "logprobs": []})
        events.append({"type": "response.content_part.done", **place, "part": item["content"][0]})
    events.append({"type": "response.output_item.done", "output_index": 0, "item": item})
    events.append({"type": "response.completed", "response": whole})
    for number, event in enumerate(events):
        yield {**event, "sequence_number": number}


def embeddings(request: Json) -> Json:
    """Vectors of four numbers, which are exact in binary."""
    given = request.get("input")
    texts = given if isinstance(given, list) and not all(isinstance(token, int) for token in given) else [given]
    # The base64 of four 32-bit floats: what the client asks for unless told otherwise.
    vector: Any = "AACAPwAAAD8AAIA+AAAAPg==" if request.get("encoding_format") == "base64" else [1.0, 0.5, 0.25, 0.125]
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, _ in enumerate(texts)]
    return {
        "object": "list", "data": data, "model": served(request), "usage": {"prompt_tokens": 6, "total_tokens": 6},
    }  # fmt: skip


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # the standard library's name
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        request: Json = json.loads(body or b"{}")
        time.sleep(_SLOW_SECONDS if SLOWNESS.encode() in body else _SECONDS)
        kind = self.path.split("?")[0].rsplit("/v1/", 1)[-1]
        if FAILURE.encode() in body:
            refusal = {"message": "The server had an error", "type": "server_error", "param": None, "code": None}
            self._json(400, {"error": refusal})
        elif kind == "chat/completions" and request.get("stream"):
            self._stream((None, chunk) for chunk in chunks(request))
        elif kind == "responses" and request.get("stream"):
            self._stream((event["type"], event) for event in response_events(request))
        elif kind in _ANSWERS:
            self._json(200, _ANSWERS[kind](request))
        else:
            self._json(404, {"error": {"message": f"Unknown: {self.path}", "type": "invalid_request_error"}})

    def _json(self, status: int, body: Json) -> None:
        encoded = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def _stream(self, events: Iterable[tuple[str | None, Json]]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for name, event in events:
            head = f"event: {name}\n" if name else ""
            self.wfile.write(f"{head}data: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
        if not name:
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


_ANSWERS = {"chat/completions": completion, "responses": response, "embeddings": embeddings}


@contextmanager
def serving() -> Iterator[str]:
    """The base address of a server that runs until the context ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
