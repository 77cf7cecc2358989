"""Calls of models by one user: with the keys of the project's connections, on the server, each of them traced."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dashboard.mandate import Mandate
from dashboard.own_events import OwnEvents
from evals.errors import CallFailed
from evals.providers.chat import Answering, ChatRequest, answers
from evals.providers.connections import models_of, reached
from heliograph.domain.filters import Page
from heliograph.domain.pacing import PacingStatus
from heliograph.outbound import Outbound
from ingestion.model_calls import ModelCall, export_of
from storage.postgres.connection import Database
from storage.postgres.llm_connections import LlmConnections
from storage.seal import Seal

PLAYGROUND = "playground:execute"
ENVIRONMENT = "playground"
MAX_CONNECTIONS = 100
STOPPED = "Stopped by the user."


Pacing = Callable[[str, str], Awaitable[PacingStatus | None]]


async def unpaced(provider: str, key: str) -> None:
    """No limiter runs."""
    del provider, key


@dataclass(frozen=True)
class Providers:
    """How models are reached.

    Attributes:
        seal: opens the connections' secrets.
        outbound: the guard through which their addresses are called.
        pacing: how the limiter of a provider and key stands; None where it has none.
    """

    seal: Seal = field(repr=False)
    outbound: Outbound
    pacing: Pacing = unpaced


@dataclass(frozen=True)
class Question:
    """What is asked, of which model behind which provider's connection, and the prompt it was made of."""

    provider: str
    model: str
    request: ChatRequest
    prompt: tuple[str, int] | None = None
    name: str = "Playground"


@dataclass
class Reply:
    """An answer as far as it has come, with what it took; the cost in US dollars and the trace are known at the end."""

    answer: Answering = field(default_factory=Answering)
    latency_ms: float = 0.0
    first_ms: float | None = None
    cost_usd: float | None = None
    trace_id: str = ""


class ModelCalls:
    """The calls that one user may make; each raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, database: Database, mandate: Mandate, events: OwnEvents, *, providers: Providers) -> None:
        self._mandate = mandate
        self._events = events
        self._outbound = providers.outbound
        self._connections = LlmConnections(database, mandate.project.id, providers.seal)

    async def offers(self) -> dict[str, list[str]]:
        """The models that can be asked, by provider."""
        found, _ = await self._connections.page(Page(size=MAX_CONNECTIONS))
        # The library that knows the models takes a second to load.
        return await asyncio.to_thread(lambda: {each.provider: models_of(each) for each in found})

    async def ask(self, question: Question) -> AsyncGenerator[Reply, None]:
        """The same reply again and again, each time longer; closing the iterator ends the call.

        Raises:
            LlmConnectionNotFound, SecretUnreadable, InvalidRequest: the connection cannot be used.
            CallFailed: and of which kind; what had come is traced.
            Unavailable, Overloaded: the answer came, but could not be traced.
        """
        await self._mandate.act(PLAYGROUND)
        opened = await self._connections.opened(question.provider)
        model = await asyncio.to_thread(reached, opened, question.model, self._outbound)
        reply, began, error = Reply(), time.monotonic(), STOPPED
        started_at = datetime.now(UTC)
        try:
            async for answer in answers(model, question.request):
                reply.answer, reply.latency_ms = answer, (time.monotonic() - began) * 1000
                reply.first_ms = reply.first_ms if reply.first_ms is not None else reply.latency_ms
                if not answer.is_done:
                    yield reply
            error = ""
        except CallFailed as failure:
            error = str(failure)
            raise
        finally:
            reply.trace_id, reply.cost_usd = await self._trace(question, reply, started_at, error=error)
        yield reply

    async def whole(self, question: Question) -> Reply:
        """The reply when it is whole; raises what `ask` raises."""
        return [reply async for reply in self.ask(question)][-1]

    async def _trace(
        self, question: Question, reply: Reply, started_at: datetime, *, error: str
    ) -> tuple[str, float | None]:
        """Store the call; its trace's id, and what it cost by the project's prices."""
        answer = reply.answer
        first_at = started_at.timestamp() + reply.first_ms / 1000 if reply.first_ms is not None else None
        call = ModelCall(
            name=question.name, environment=ENVIRONMENT, user_id=self._mandate.user.email, model=question.model,
            messages=question.request.messages, parameters=_told(question.request), output=_output(answer),
            usage=answer.usage, started_at=started_at, ended_at=datetime.now(UTC),
            first_at=datetime.fromtimestamp(first_at, UTC) if first_at else None, error=error, prompt=question.prompt,
        )  # fmt: skip
        stored = await self._events.intake.take_spans(self._mandate.project, export_of([call]))
        costs = stored.observations["total_cost"].to_pylist()
        priced = stored.observations["cost_details"].to_pylist()
        return call.trace_id, float(costs[0]) if costs and priced[0] else answer.spending.cost_usd


def _output(answer: Answering) -> Any:
    if not answer.tool_calls:
        return answer.text
    return {"role": "assistant", "content": answer.text, "tool_calls": answer.tool_calls}


def _told(request: ChatRequest) -> Mapping[str, Any]:
    """The parameters with what else shapes the answer."""
    more: dict[str, Sequence[Any] | Mapping[str, Any]] = {}
    if request.tools:
        more["tools"] = list(request.tools)
    if request.schema is not None:
        more["schema"] = dict(request.schema)
    return {**request.parameters, **more}
