"""Metrics of Ragas: `pip install heliograph[ragas]`."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from heliograph.adapters.foreign import Foreign, texts
from heliograph.domain.evaluators import Verdict
from heliograph.evaluator import Evaluator

# Fields of a sample, and where we have them.
_FIELDS = {
    "user_input": "input", "response": "output", "reference": "expected", "retrieved_contexts": "context",
    "reference_contexts": "expected_context",
}  # fmt: skip
_LISTS = ("retrieved_contexts", "reference_contexts")


def from_ragas(metric: Any, *, inputs: Sequence[str] | None = None, name: str = "") -> Evaluator:
    """An evaluator that asks a metric of Ragas about single turns.

    Args:
        metric: of `ragas.metrics.collections`, as `Faithfulness(llm=llm)`, or an older one of `ragas.metrics`.
        inputs: what it needs of `input`, `output`, `expected`, `context` and `expected_context`; found in what the
            metric takes unless it is told.
        name: of the scores; the metric's own unless told otherwise.

    Example:
        >>> from ragas.llms import llm_factory
        >>> from ragas.metrics.collections import Faithfulness
        >>> judge = Faithfulness(llm=llm_factory("gpt-4o", client=AsyncOpenAI()))
        >>> project.evaluate(selection, [from_ragas(judge)])
    """
    needed, optional = _read(metric)
    if inputs is not None:
        needed, optional = tuple(inputs), ()
    foreign = Foreign("ragas", metric, name or str(metric.name), needed, optional)

    async def score(**given: Any) -> Verdict | None:
        sample = _sample(given)
        if hasattr(metric, "single_turn_ascore"):
            return _verdict(await _older(metric, sample), "")
        found = await metric.ascore(**sample)
        return _verdict(found.value, found.reason or "")

    return foreign.evaluator(score)


def _read(metric: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What it needs and what it takes besides, by our names; fields that no target has are left out."""
    if hasattr(metric, "single_turn_ascore"):
        names = metric.required_columns.get("SINGLE_TURN", set())
        return tuple(ours for field, ours in _FIELDS.items() if field in names), ()
    taken = {p.name: p.default is p.empty for p in inspect.signature(metric.ascore).parameters.values()}
    known = [(ours, taken[field]) for field, ours in _FIELDS.items() if field in taken]
    return tuple(ours for ours, is_needed in known if is_needed), tuple(ours for ours, needed in known if not needed)


def _sample(given: Mapping[str, Any]) -> dict[str, Any]:
    found = {field: given[ours] for field, ours in _FIELDS.items() if ours in given}
    return found | {field: texts(found[field]) for field in _LISTS if field in found}


async def _older(metric: Any, sample: Mapping[str, Any]) -> Any:
    from ragas import SingleTurnSample  # noqa: PLC0415 - an extra

    return await metric.single_turn_ascore(SingleTurnSample(**sample))


def _verdict(value: Any, reason: str) -> Verdict | None:
    """None, and what is no number, is no verdict."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or (is_number and value != value):  # noqa: PLR0124 - only NaN is not itself
        return None
    return Verdict(value if isinstance(value, bool | str) else float(value), reason)
