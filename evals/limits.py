"""Bounds of time, money and tokens as evaluators: what a service promises, checked on every target."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from evals.columns import truths
from heliograph.evaluator import BOOLEAN, Verdicts, evaluator_factory

Score = Callable[..., Verdicts]


@evaluator_factory(BOOLEAN, vectorised=True)
def latency_within(seconds: float = 5.0) -> Score:
    """Whether the target took at most so many seconds from its start to its end."""

    def score(latency_seconds: pa.Array) -> Verdicts:
        return truths(pc.less_equal(latency_seconds, seconds), f"within {seconds:g} s", f"more than {seconds:g} s")

    return score


@evaluator_factory(BOOLEAN, vectorised=True)
def cost_within(usd: float = 0.01) -> Score:
    """Whether the target cost at most so many US dollars."""

    def score(cost_usd: pa.Array) -> Verdicts:
        return truths(pc.less_equal(cost_usd, usd), f"within {usd:g} USD", f"more than {usd:g} USD")

    return score


@evaluator_factory(BOOLEAN, vectorised=True)
def tokens_within(limit: int = 8_000) -> Score:
    """Whether the target used at most so many tokens, those of input and output together."""

    def score(total_tokens: pa.Array) -> Verdicts:
        return truths(pc.less_equal(total_tokens, limit), f"within {limit} tokens", f"more than {limit} tokens")

    return score


@evaluator_factory(BOOLEAN, vectorised=True)
def output_tokens_between(low: int = 1, high: int = 1_000) -> Score:
    """Whether the output has so many tokens, both ends included."""

    def score(output_tokens: pa.Array) -> Verdicts:
        fits = pc.and_(pc.greater_equal(output_tokens, low), pc.less_equal(output_tokens, high))
        return truths(fits, f"has {low} to {high} tokens", f"has not {low} to {high} tokens")

    return score
