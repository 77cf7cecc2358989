"""Metrics of DeepEval: `pip install heliograph[deepeval]`."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from heliograph.adapters.foreign import Foreign, texts
from heliograph.domain.evaluators import Verdict
from heliograph.evaluator import SHARE, Evaluator

# Fields of a test case, and where we have them.
_FIELDS = {
    "input": "input", "actual_output": "output", "expected_output": "expected", "context": "context",
    "retrieval_context": "context", "tools_called": "tool_calls", "expected_tools": "expected_tool_calls",
}  # fmt: skip
_LISTS = ("context", "retrieval_context")
_TOOLS = ("tools_called", "expected_tools")


def from_deepeval(metric: Any, *, inputs: Sequence[str] | None = None, name: str = "") -> Evaluator:
    """An evaluator that asks a metric of DeepEval about single turns.

    Its score, from 0 to 1, is the value, its reason the reason; whether it reached the metric's threshold stands in the
    metadata.

    Args:
        metric: as `AnswerRelevancyMetric(model="gpt-4o")`.
        inputs: what it needs of `input`, `output`, `expected`, `context`, `tool_calls` and `expected_tool_calls`; found
            in what the metric requires unless it is told.
        name: of the scores; the metric's own unless told otherwise.

    Example:
        >>> from deepeval.metrics import AnswerRelevancyMetric
        >>> project.evaluate(selection, [from_deepeval(AnswerRelevancyMetric(model="gpt-4o"))])
    """
    required = [str(getattr(one, "value", one)) for one in _required(metric)]
    needed = tuple(inputs) if inputs is not None else tuple(dict.fromkeys(_FIELDS[one] for one in required))
    foreign = Foreign("deepeval", metric, name or str(metric.__name__), needed, values=SHARE)

    async def score(**given: Any) -> Verdict | None:
        # A metric keeps what it found in itself, and many targets are judged at once.
        own = copy.copy(metric)
        await own.a_measure(_case(given), _show_indicator=False)
        if own.error is not None:
            raise RuntimeError(own.error)
        if own.score is None or own.skipped:
            return None
        return Verdict(float(own.score), own.reason or "", {"success": bool(own.success)})

    return foreign.evaluator(score)


def _required(metric: Any) -> Sequence[Any]:
    """`_required_params` of most; a G-Eval names them as it is made."""
    own = getattr(metric, "evaluation_params", None)
    return own or metric._required_params  # type: ignore[no-any-return]  # noqa: SLF001 - told nowhere else


def _case(given: Mapping[str, Any]) -> Any:
    from deepeval.test_case import LLMTestCase  # noqa: PLC0415 - an extra

    found = {field: given[ours] for field, ours in _FIELDS.items() if ours in given}
    found |= {field: texts(found[field]) for field in _LISTS if field in found}
    found |= {field: list(map(_tool, found[field])) for field in _TOOLS if field in found}
    return LLMTestCase(**{"input": "", "actual_output": "", **found})


def _tool(call: Any) -> Any:
    from deepeval.test_case import ToolCall  # noqa: PLC0415 - an extra

    return ToolCall(name=call.name, input_parameters=dict(call.arguments))
