"""What judges on the cluster are made of, and what they cost."""

from collections.abc import Callable
from dataclasses import dataclass

from actors.leased_slots import Limiter
from actors.purse import Gate
from evals.judging.cache import AnswerCache
from evals.judging.embedding import Vectors
from evals.judging.paid import Tariff
from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.evaluation_runs import EmbedderSpec, JudgeSpec
from heliograph.outbound import Outbound
from ingestion.pricing import PriceBook
from storage.postgres.llm_connections import LlmConnections


def tariff_of(prices: PriceBook, spec: JudgeSpec) -> Tariff | None:
    """What a model costs by the project's definitions or the managed ones; None where it has no price."""
    usd = _usd(prices, spec.model, "input", "output")
    return None if usd is None else Tariff(usd["input"], usd["output"], spec.max_tokens)


def embedding_tariff_of(prices: PriceBook, spec: EmbedderSpec) -> Tariff | None:
    """What an embedding costs; None where the model has no price."""
    usd = _usd(prices, spec.model, "input")
    return None if usd is None else Tariff(usd["input"], 0.0, 0)


def _usd(prices: PriceBook, name: str, *keys: str) -> dict[str, float] | None:
    """Dollars for a token of each kind; None where one has no price."""
    model = prices.match(name)
    tier = next((tier for tier in model.tiers if not tier.conditions), None) if model else None
    if tier is None or not all(key in tier.prices for key in keys):
        return None
    return {key: tier.prices[key] / UNITS_PER_DOLLAR for key in keys}


@dataclass(frozen=True)
class JudgeStores:
    """What judges are made of: connections, prices, the shared limiters and budgets, and what was answered before."""

    connections: LlmConnections
    outbound: Outbound
    prices: PriceBook
    limiter: Callable[[str, str], Limiter]
    gate: Gate
    cache: AnswerCache
    vectors: Vectors
