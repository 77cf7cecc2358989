"""Evaluators of Phoenix: one of code, one that asks a model."""

import os

from phoenix.evals import LLM, create_evaluator
from phoenix.evals.metrics import ConcisenessEvaluator

from heliograph.adapters.phoenix import from_phoenix

URL = os.environ["PROVIDER_URL"]


@create_evaluator(name="same_length", kind="code")
def same_length(output: str, expected: str) -> float:
    return float(len(output) == len(expected))


def conciseness(model):
    kwargs = {"api_key": "sk-1", "base_url": URL}
    return from_phoenix(ConcisenessEvaluator(llm=LLM(provider="openai", model=model, **kwargs)))


CODE, MODEL = from_phoenix(same_length), conciseness("gpt-4o-mini")
SAME, OTHER = conciseness("gpt-4o-mini"), conciseness("gpt-4o")
