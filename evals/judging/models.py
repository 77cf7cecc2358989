"""A judge behind any provider that litellm reaches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evals.providers.completions import completion
from evals.providers.failures import failure
from evals.providers.library import cost_of
from heliograph.content_hash import content_hash
from heliograph.domain.evaluators import Answer, Prompt, Spending
from heliograph.outbound import Outbound

TIMEOUT_SECONDS = 120.0
# A reason of four sentences and a score take about 200; more leaves room for models that reason aloud.
MAX_TOKENS = 1_024


@dataclass(frozen=True, slots=True)
class Connection:
    """How a provider is reached; no part of a judge's identity. What is secret is not shown.

    Attributes:
        options: what some providers need beside a key and an address, as litellm names it.
        outbound: checks the addresses that are called; None where they are the user's own choice.
    """

    api_key: str = field(default="", repr=False)
    api_base: str = ""
    timeout_seconds: float = TIMEOUT_SECONDS
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    outbound: Outbound | None = None


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
        try:
            response = await completion(self.request(prompt, schema), self.connection.outbound)
        except Exception as error:
            raise failure(self.model, error) from error
        return _answer(response, cost_of(response))

    def request(self, prompt: Prompt, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The call as litellm takes it."""
        request: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in prompt],
            "max_tokens": self.max_tokens,
            "timeout": self.connection.timeout_seconds,
            # The client below must not try again by itself: retries are counted and paid for where they are decided.
            "max_retries": 0,
            "num_retries": 0,
            **self.connection.options,
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
