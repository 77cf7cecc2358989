"""The language models of the demo: how fast each one is, and how its provider reports usage."""

from dataclasses import dataclass
from typing import Literal

Provider = Literal["openai", "anthropic", "google", "own"]

CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class Model:
    """One model as an application calls it."""

    name: str
    provider: Provider
    temperature: float
    seconds_to_first_token: float
    tokens_per_second: float

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """What the application passes along with its messages."""
        limit = "max_completion_tokens" if self.provider == "openai" else "max_tokens"
        return {"temperature": self.temperature, limit: 1024}


QUICK = Model("gpt-4o-mini", "openai", 0.2, 0.35, 95.0)
CAREFUL = Model("gpt-4.1", "openai", 0.1, 0.6, 70.0)
WRITER = Model("claude-sonnet-4-5-20250929", "anthropic", 0.7, 0.9, 65.0)
SORTER = Model("claude-haiku-4-5-20251001", "anthropic", 0.0, 0.4, 130.0)
READER = Model("gemini-2.5-flash", "google", 0.0, 0.5, 180.0)
LOCAL = Model("llama-3.3-70b-instruct", "own", 0.3, 0.25, 40.0)
EMBEDDER = Model("text-embedding-3-small", "openai", 0.0, 0.06, 10_000.0)


def token_count(text: str) -> int:
    """Roughly the tokens of an English text."""
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def usage_of(model: Model, *, fresh: int, cached: int, output: int) -> dict[str, int]:
    """Usage in the shape in which the provider's integration reports it; the counts do not overlap."""
    match model.provider:
        case "anthropic":
            return {"input": fresh, "cache_read_input_tokens": cached, "output": output}
        case "google":
            thinking = output // 3
            read = {"input": fresh, "input_cached_tokens": cached}
            return read | {"output": output, "output_reasoning_tokens": thinking}
        case "openai":
            return {"input": fresh, "input_cached_tokens": cached, "output": output, "total": fresh + cached + output}
        case "own":
            return {"input": fresh + cached, "output": output}


def own_cost(model: Model, usage: dict[str, int]) -> dict[str, float] | None:
    """Cost in US dollars as the application tells it for the model that it hosts: no price list has it."""
    if model.provider != "own":
        return None
    return {"input": usage["input"] * 2.5e-7, "output": usage["output"] * 7.5e-7}
