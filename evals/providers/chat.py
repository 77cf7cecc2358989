"""One streamed answer of a chat model: its text and tool calls as they come, then what it used."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evals.providers.connections import Reached
from evals.providers.failures import failure
from evals.providers.library import cost_of, loaded
from heliograph.domain.evaluators import Spending

TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model is asked.

    Attributes:
        messages: as OpenAI's API has them: `role`, `content` and whatever else a role needs.
        parameters: `temperature`, `max_tokens`, …; one that the provider does not know is left out.
        tools: what the model may call, in OpenAI's form; none are offered where it is empty.
        schema: a JSON schema that the answer is to meet.
    """

    messages: Sequence[Mapping[str, Any]]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    schema: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Answering:
    """An answer as far as it has come; `spending` is known at the end."""

    text: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    finish_reason: str = ""
    spending: Spending = field(default_factory=Spending)
    usage: dict[str, int] = field(default_factory=dict)
    is_done: bool = False


async def answers(reached: Reached, request: ChatRequest) -> AsyncGenerator[Answering, None]:
    """The same answer again and again, each time longer; closing the iterator ends the call.

    Raises:
        CallFailed: and of which kind.
    """
    library, answer, pieces = await loaded(), Answering(), []
    try:
        stream = await library.acompletion(**_arguments(reached, request))
        try:
            async for piece in stream:
                pieces.append(piece)
                if _take(answer, piece):
                    yield answer
        finally:
            await stream.aclose()
        whole = library.stream_chunk_builder(pieces, messages=[dict(message) for message in request.messages])
    except Exception as error:
        raise failure(reached.model, error) from error
    _finish(answer, whole)
    yield answer


def _arguments(reached: Reached, request: ChatRequest) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "model": reached.model,
        "messages": [dict(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "timeout": TIMEOUT_SECONDS,
        # Who asks sees the failure, and asks again.
        "max_retries": 0,
        "num_retries": 0,
        "drop_params": True,
        **request.parameters,
        **reached.arguments,
    }
    if request.tools:
        arguments["tools"] = [dict(tool) for tool in request.tools]
    if request.schema is not None:
        named = {"name": "answer", "schema": dict(request.schema), "strict": True}
        arguments["response_format"] = {"type": "json_schema", "json_schema": named}
    return arguments


def _take(answer: Answering, piece: Any) -> bool:
    """Add a piece; whether it changed what is seen."""
    choice = piece.choices[0] if piece.choices else None
    if choice is None:
        return False
    answer.finish_reason = choice.finish_reason or answer.finish_reason
    text, calls = choice.delta.content or "", choice.delta.tool_calls or []
    answer.text += text
    for call in calls:
        _take_call(answer.tool_calls, call)
    return bool(text or calls)


def _take_call(known: list[dict[str, Any]], call: Any) -> None:
    """A call of a tool comes in parts: its name first, then its arguments bit by bit."""
    place = call.index or 0
    while len(known) <= place:
        known.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
    known[place]["id"] = call.id or known[place]["id"]
    function = known[place]["function"]
    function["name"] += call.function.name or ""
    function["arguments"] += call.function.arguments or ""


def _finish(answer: Answering, whole: Any) -> None:
    usage = getattr(whole, "usage", None)
    used = int(getattr(usage, "prompt_tokens", 0) or 0), int(getattr(usage, "completion_tokens", 0) or 0)
    answer.usage = {"input": used[0], "output": used[1], "total": sum(used)}
    answer.spending = Spending(*used, cost_of(whole), 1)
    answer.is_done = True
