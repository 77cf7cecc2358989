"""Batches at a provider that speaks OpenAI's Batch API: a file of requests, answered within a day."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from evals.providers.connections import Reached
from evals.providers.failures import failure, failure_of_status
from heliograph.domain.evaluators import Answer, Spending
from heliograph.domain.llm_connections import Adapter

# Whose connections have it.
ADAPTERS = frozenset({Adapter.OPENAI, Adapter.AZURE})
# https://platform.openai.com/docs/guides/batch: half the price of a call at once, for every model.
PRICE_SHARE = 0.5
# Of a provider's 50,000 and 200 MB, as much as one process may hold.
MAX_REQUESTS = 20_000
MAX_BYTES = 48 << 20
_ENDPOINT = "/v1/chat/completions"
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_CANCELLING = "cancelling"
_OWN = "heliograph_batch"
_CLOCKS_DIFFER = timedelta(hours=1)


@dataclass(frozen=True)
class BatchStatus:
    """How far a batch is; `reason` says why the provider refused all of it."""

    provider_id: str
    has_ended: bool
    files: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Answered:
    """What came back for one request: an answer, or why there is none."""

    key: str
    answer: Answer | None
    cause: str = ""
    reason: str = ""
    is_passing: bool = False


class ProviderBatches:
    """The batches of one connection and model, as a context; each method raises CallFailed, and of which kind.

    Args:
        reached: the model.
        timeout_seconds: of one call.
    """

    def __init__(self, reached: Reached, timeout_seconds: float = 120.0) -> None:
        self._model = reached.model
        self._client = reached.arguments["client"].with_options(timeout=timeout_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def submit(self, batch_id: str, lines: Iterable[bytes]) -> str:
        """Upload the requests and have them answered; returns the provider's name of the batch."""
        try:
            content = b"\n".join(lines)
            file = await self._client.files.create(file=(f"{batch_id}.jsonl", content), purpose="batch")
            batch = await self._client.batches.create(
                input_file_id=file.id, endpoint=_ENDPOINT, completion_window="24h", metadata={_OWN: batch_id}
            )
        except Exception as error:
            raise failure(self._model, error) from error
        return str(batch.id)

    async def find(self, batch_id: str, since: datetime) -> str | None:
        """The provider's name of a batch that was submitted after then, if it was."""
        earliest = (since - _CLOCKS_DIFFER).timestamp()
        try:
            async for batch in self._client.batches.list(limit=100):
                if (batch.metadata or {}).get(_OWN) == batch_id:
                    return str(batch.id)
                if batch.created_at < earliest:
                    break
        except Exception as error:
            raise failure(self._model, error) from error
        return None

    async def status(self, provider_id: str) -> BatchStatus:
        """How far it is."""
        try:
            batch = await self._client.batches.retrieve(provider_id)
        except Exception as error:
            raise failure(self._model, error) from error
        files = tuple(file for file in (batch.output_file_id, batch.error_file_id) if file)
        errors = (batch.errors.data or []) if batch.errors else []
        reason = "; ".join(f"{error.code}: {error.message}" for error in errors)
        return BatchStatus(provider_id, batch.status in _ENDED, files, reason)

    async def cancel(self, provider_id: str) -> None:
        """Have the provider answer no more of it."""
        try:
            batch = await self._client.batches.retrieve(provider_id)
            if batch.status not in _ENDED and batch.status != _CANCELLING:
                await self._client.batches.cancel(provider_id)
        except Exception as error:
            raise failure(self._model, error) from error

    async def answers(self, status: BatchStatus) -> list[Answered]:
        """What has been answered of one that has ended."""
        found: list[Answered] = []
        for file in status.files:
            try:
                content = await self._client.files.content(file)
            except Exception as error:
                raise failure(self._model, error) from error
            found += _read(self._model, content.content.splitlines())
        return found


def line(key: str, body: Mapping[str, Any]) -> bytes:
    """A request as a line of the file."""
    return json.dumps({"custom_id": key, "method": "POST", "url": _ENDPOINT, "body": body}).encode()


def _read(model: str, lines: Iterable[bytes]) -> Iterator[Answered]:
    for text in lines:
        if not text.strip():
            continue
        told = json.loads(text)
        key, response, error = told["custom_id"], told.get("response"), told.get("error")
        if response and response["status_code"] == 200:
            yield Answered(key, _answer(response["body"]))
        elif response:
            found = failure_of_status(model, int(response["status_code"]), json.dumps(response["body"])[:500])
            yield Answered(key, None, type(found).__name__, str(found), found.is_passing)
        else:
            # As batch_expired: nobody has looked at it.
            reason = f"{error.get('code')}: {error.get('message')}" if error else "no reason is given"
            yield Answered(key, None, "BatchUnanswered", reason, is_passing=True)


def _answer(body: Mapping[str, Any]) -> Answer:
    choice = body["choices"][0]
    message, usage = choice["message"], body.get("usage") or {}
    used = Spending(int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0)), None, 1)
    return Answer(
        message.get("content") or "", message.get("refusal") or "", choice.get("finish_reason") or "stop", used
    )
