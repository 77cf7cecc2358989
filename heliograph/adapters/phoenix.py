"""Evaluators of Phoenix: `pip install heliograph[phoenix]`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from heliograph.adapters.foreign import Foreign
from heliograph.domain.evaluators import Value, Verdict
from heliograph.evaluator import Evaluator


def from_phoenix(given: Any, *, inputs: Sequence[str] | None = None, name: str = "") -> Evaluator:
    """An evaluator that asks one of `phoenix.evals`.

    The value is its score, or its label where it has no score; the explanation is the reason, and the label stands in
    the metadata beside a score. Several scores become as many of ours.

    Args:
        given: as `FaithfulnessEvaluator(llm=LLM(provider="openai", model="gpt-4o"))`.
        inputs: the columns that its fields are; its fields themselves unless told otherwise.
        name: of the scores; its own unless told otherwise.

    Example:
        >>> from phoenix.evals import LLM
        >>> from phoenix.evals.metrics import ConcisenessEvaluator
        >>> judge = ConcisenessEvaluator(llm=LLM(provider="openai", model="gpt-4o"))
        >>> project.evaluate(selection, [from_phoenix(judge)])
    """
    needed, optional = _fields(given)
    if inputs is not None:
        needed, optional = tuple(inputs), ()
    foreign = Foreign("arize-phoenix-evals", given, name or str(given.name), needed, optional)

    async def score(**found: Any) -> Verdict | None:
        verdicts = [one for one in map(_verdict, await given.async_evaluate(found)) if one is not None]
        if not verdicts:
            return None
        return replace(verdicts[0], name="", further=tuple(verdicts[1:]))

    return foreign.evaluator(score)


def _fields(given: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    declared = given.describe()["input_schema"]
    needed = tuple(declared.get("required", ()))
    return needed, tuple(one for one in declared.get("properties", {}) if one not in needed)


def _verdict(score: Any) -> Verdict | None:
    value: Value | None = score.score if score.score is not None else score.label
    if value is None:
        return None
    told = dict(score.metadata or {}) | ({"label": score.label} if score.label and score.score is not None else {})
    return Verdict(value, score.explanation or "", json.loads(json.dumps(told, default=str)), name=score.name)
