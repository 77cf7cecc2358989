"""A judge behind any provider that litellm reaches, and what its errors mean for whoever asked."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from evals.errors import (
    CallFailed,
    CallTimedOut,
    ContentRefused,
    ContextTooLong,
    CredentialsInvalid,
    CreditExhausted,
    EndpointUnreachable,
    ModelUnavailable,
    ProviderUnavailable,
    RateLimited,
    RequestInvalid,
)
from heliograph.content_hash import content_hash
from heliograph.domain.evaluators import Answer, Prompt, Spending

TIMEOUT_SECONDS = 120.0
# A reason of four sentences and a score take about 200; more leaves room for models that reason aloud.
MAX_TOKENS = 1_024

# Providers send these as 429, which a second try does not heal.
_NO_CREDIT = ("insufficient_quota", "billing", "credit balance", "exceeded your current quota")


@dataclass(frozen=True, slots=True)
class Connection:
    """How a provider is reached; no part of a judge's identity. The key is not shown."""

    api_key: str = field(default="", repr=False)
    api_base: str = ""
    timeout_seconds: float = TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """A judge of one model.

    Args:
        model: As litellm names it: `openai/gpt-4o-mini`, `anthropic/claude-sonnet-4-5`, …
        connection: Key, address and timeout.
        max_tokens: Bounds the answer, and by it what a call can cost at most.
        temperature: 0 is what makes verdicts repeatable; None for models that take none.
        has_schema: Whether the provider can hold the answer to a JSON schema.
        parameters: Whatever else shapes the answer, passed on as it is.
    """

    model: str
    connection: Connection = Connection()
    max_tokens: int = MAX_TOKENS
    temperature: float | None = 0.0
    has_schema: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The model, and a hash of the parameters that shape its answers."""
        shaped = content_hash(
            max_tokens=self.max_tokens, temperature=self.temperature, has_schema=self.has_schema, more=self.parameters
        )
        return f"{self.model}:{shaped}"

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        """One call, without any second try.

        Raises:
            CallFailed: and of which kind; `is_passing` says whether a later call may succeed, `block` whether a person
                must act first.
        """
        litellm = _litellm()
        try:
            response = await litellm.acompletion(**self._request(prompt, schema))
        except Exception as error:
            raise failure(self.model, error) from error
        return _answer(response, _cost(litellm, response))

    def _request(self, prompt: Prompt, schema: Mapping[str, Any]) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in prompt],
            "max_tokens": self.max_tokens,
            "timeout": self.connection.timeout_seconds,
            # The client below must not try again by itself: retries are counted and paid for where they are decided.
            "max_retries": 0,
            "num_retries": 0,
            **self.parameters,
        }
        if self.temperature is not None:
            request["temperature"] = self.temperature
        if self.has_schema:
            named = {"name": "verdict", "schema": dict(schema), "strict": True}
            request["response_format"] = {"type": "json_schema", "json_schema": named}
        if self.connection.api_key:
            request["api_key"] = self.connection.api_key
        if self.connection.api_base:
            request["api_base"] = self.connection.api_base
        return request


@cache
def _litellm() -> Any:
    """The library, loaded where a model is asked first: it takes a second and hundreds of modules."""
    # It would fetch its list of prices from the network while it is imported, and reads from here alone that it must
    # not.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # noqa: TID251
    import litellm  # noqa: PLC0415

    litellm.suppress_debug_info = True
    return litellm


def _answer(response: Any, cost_usd: float | None) -> Answer:
    choice = response.choices[0]
    usage = getattr(response, "usage", None)
    spending = Spending(
        int(getattr(usage, "prompt_tokens", 0) or 0), int(getattr(usage, "completion_tokens", 0) or 0), cost_usd, 1
    )
    refusal = getattr(choice.message, "refusal", None) or (
        (getattr(choice.message, "provider_specific_fields", None) or {}).get("refusal") or ""
    )
    return Answer(choice.message.content or "", str(refusal), choice.finish_reason or "stop", spending)


def _cost(litellm: Any, response: Any) -> float | None:
    try:
        return float(litellm.completion_cost(completion_response=response))
    except Exception:  # noqa: BLE001 - litellm raises a bare Exception for a model without a price
        return None


def failure(model: str, error: Exception) -> CallFailed:
    """What an error of litellm, or of the connection below it, means."""
    reason = f"{type(error).__name__}: {error}"[:500]
    name, status = type(error).__name__, getattr(error, "status_code", None)
    if any(sign in str(error).lower() for sign in _NO_CREDIT) and status in (402, 403, 429):
        return CreditExhausted(model, reason)
    if _is_unreachable(error):
        return EndpointUnreachable(model, reason)
    if name in _BY_NAME:
        return _BY_NAME[name](model, reason)
    if status == 429:
        return RateLimited(model, reason, _retry_after(error))
    if status in _BY_STATUS:
        return _BY_STATUS[status](model, reason)
    is_server = status is None or not isinstance(status, int) or status >= 500
    return ProviderUnavailable(model, reason) if is_server else RequestInvalid(model, reason)


_BY_NAME: dict[str, type[CallFailed]] = {
    "ContextWindowExceededError": ContextTooLong,
    "ContentPolicyViolationError": ContentRefused,
    "Timeout": CallTimedOut,
    "TimeoutError": CallTimedOut,
}
_BY_STATUS: dict[int, type[CallFailed]] = {
    400: RequestInvalid,
    401: CredentialsInvalid,
    402: CreditExhausted,
    403: CredentialsInvalid,
    404: ModelUnavailable,
    408: CallTimedOut,
    422: RequestInvalid,
    504: CallTimedOut,
}


def _is_unreachable(error: BaseException | None) -> bool:
    """Whether no connection came about: litellm turns that into a server's error, but keeps the first one behind it."""
    depth = 0
    while error is not None and depth < 10:
        if type(error).__name__ in ("ConnectError", "ClientConnectorError", "ConnectionRefusedError"):
            return True
        error, depth = error.__cause__ or error.__context__, depth + 1
    return False


def _retry_after(error: Exception) -> float:
    """Seconds that the provider asks to wait; 0 where it does not say."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        seconds = float(headers.get("retry-after", 0))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
