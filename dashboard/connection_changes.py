"""What people change of a project's LLM connections: their secrets go in, and never come out."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dashboard.mandate import Mandate
from dashboard.model_calls import MAX_CONNECTIONS, Providers
from evals.providers.chat import ChatRequest, answers
from evals.providers.connections import check_address, reached
from heliograph.domain import llm_connections
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Page
from heliograph.domain.llm_connections import LlmConnection, NewLlmConnection, OpenedLlmConnection
from heliograph.domain.not_found import LlmConnectionNotFound
from heliograph.domain.pacing import PacingStatus
from storage.postgres.connection import Database
from storage.postgres.llm_connections import LlmConnections
from storage.seal import SecretUnreadable

READING = "llmApiKeys:read"
KEEPING = ("llmApiKeys:create", "llmApiKeys:update")
DELETING = "llmApiKeys:delete"
MAX_NAME = 255
_TEST = ChatRequest([{"role": "user", "content": "Answer with one word: works"}], {"max_tokens": 64})


@dataclass(frozen=True)
class ModelAnswer:
    """What a model answered to a small question; the cost is in US dollars, None where it has no known price."""

    text: str
    latency_ms: float
    cost_usd: float | None


class ConnectionChanges:
    """The changes that one user may make; each raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, database: Database, mandate: Mandate, providers: Providers) -> None:
        self._mandate, self._outbound, self._pacing = mandate, providers.outbound, providers.pacing
        self._connections = LlmConnections(database, mandate.project.id, providers.seal)

    async def kept(self) -> list[LlmConnection]:
        """The connections, oldest first, without their secrets; none for a role that may not see them."""
        if not await self._mandate.covers(READING):
            return []
        found, _ = await self._connections.page(Page(size=MAX_CONNECTIONS))
        return found

    async def paces(self) -> dict[str, PacingStatus | None]:
        """How the limiter of each connection stands, by provider; None where nothing has asked through it lately.

        Raises:
            Unavailable: a limiter does not answer.
        """
        found = {}
        for connection in await self.kept():
            opened = await self._earlier(connection.provider)
            if opened is not None:
                found[connection.provider] = await self._pacing(connection.provider, opened.pacing_key)
        return found

    async def put(self, new: NewLlmConnection) -> LlmConnection:
        """Keep a connection in place of the provider's earlier one.

        A secret or headers that are not given stay those of the earlier one, if it has the same address.

        Raises:
            InvalidRequest: it cannot be kept so.
        """
        await self._mandate.act(*KEEPING)
        kept, _ = await self._connections.put(await self._whole(new))
        return kept

    async def delete(self, connection_id: str) -> None:
        """Remove a connection; what calls with it fails from now on. Raises LlmConnectionNotFound."""
        await self._mandate.act(DELETING)
        await self._connections.delete(connection_id)

    async def test(self, new: NewLlmConnection, model: str) -> ModelAnswer:
        """Ask a model behind a connection, which need not be kept yet, for one word.

        Raises:
            InvalidRequest: it cannot be used so.
            CallFailed: and of which kind.
        """
        await self._mandate.act(*KEEPING)
        if not model:
            raise InvalidRequest("model", "is needed: name one to ask")
        found = reached(_opened(await self._whole(new), self._mandate), model, self._outbound)
        began = time.monotonic()
        *_, answer = [each async for each in answers(found, _TEST)]
        return ModelAnswer(answer.text, (time.monotonic() - began) * 1000, answer.spending.cost_usd)

    async def _whole(self, new: NewLlmConnection) -> NewLlmConnection:
        """The connection with the secrets of its predecessor where it brings none; raises InvalidRequest."""
        if not new.provider or len(new.provider) > MAX_NAME:
            raise InvalidRequest("provider", f"has 1 to {MAX_NAME} characters")
        await check_address(new.base_url, self._outbound)
        earlier = await self._earlier(new.provider)
        if earlier and _place(earlier.connection) == _place(new):
            new = replace(
                new,
                secret_key=new.secret_key or earlier.secret_key,
                extra_headers=new.extra_headers or earlier.extra_headers,
            )
        if not new.secret_key:
            again = " again where the adapter or the address changes" if earlier else ""
            raise InvalidRequest("secret key", f"is needed{again}")
        llm_connections.check(new)
        return new

    async def _earlier(self, provider: str) -> OpenedLlmConnection | None:
        try:
            return await self._connections.opened(provider)
        except (LlmConnectionNotFound, SecretUnreadable):
            return None


def _place(connection: LlmConnection | NewLlmConnection) -> tuple[str, str | None]:
    """Where a secret is sent: kept for another place, whoever may change an address could have it sent to their own."""
    return connection.adapter, connection.base_url


def _opened(new: NewLlmConnection, mandate: Mandate) -> OpenedLlmConnection:
    now = datetime.now(UTC)
    connection = LlmConnection(
        id="", project_id=mandate.project.id, provider=new.provider, adapter=new.adapter, secret_display="",
        base_url=new.base_url, custom_models=new.custom_models, with_default_models=new.with_default_models,
        extra_header_keys=tuple(new.extra_headers), config=new.config, created_at=now, updated_at=now,
    )  # fmt: skip
    return OpenedLlmConnection(connection, new.secret_key, new.extra_headers)
