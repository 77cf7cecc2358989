"""Scorers of autoevals: `pip install heliograph[autoevals]`."""

import inspect
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from heliograph.adapters.foreign import Foreign
from heliograph.domain.evaluators import Verdict
from heliograph.evaluator import SHARE, Evaluator

_VARIABLE = re.compile(r"{{{?\s*&?\s*(\w+)\s*}?}}")
_KNOWN = ("output", "expected", "input", "context")


def from_autoevals(scorer: Any, *, inputs: Sequence[str] | None = None, name: str = "") -> Evaluator:
    """An evaluator that asks a scorer of autoevals.

    Its score, from 0 to 1, is the value; the rationale of a model is the reason, and the choice stands in the metadata.
    A scorer that gives no score skips the target.

    Args:
        scorer: as `Factuality(model="gpt-4o")` or `Levenshtein()`.
        inputs: what it needs of `output`, `expected`, `input` and `context`, or of any other column; found in its
            prompt and its parameters unless it is told.
        name: of the scores; the scorer's own unless told otherwise.

    Example:
        >>> from autoevals import Factuality
        >>> project.evaluate(selection, [from_autoevals(Factuality(model="gpt-4o"))])
    """
    needed = tuple(inputs) if inputs is not None else tuple(one for one in _KNOWN if one in set(_read(scorer)))
    title = name or str(scorer._name())  # noqa: SLF001 - what autoevals itself calls its scores
    foreign = Foreign("autoevals", scorer, title, needed, values=SHARE)

    async def score(**given: Any) -> Verdict | None:
        output = given.pop("output", None)
        found = await scorer.eval_async(output=output, expected=given.pop("expected", None), **given)
        if getattr(found, "error", None) is not None:
            raise found.error
        if found.score is None:
            return None
        told = dict(found.metadata or {})
        reason = str(told.pop("rationale", "") or "")
        return Verdict(float(found.score), reason, json.loads(json.dumps(told, default=str)))

    return foreign.evaluator(score)


def _read(scorer: Any) -> Iterator[str]:
    """The variables of its prompt and those parameters that have no default; every scorer reads the output."""
    yield "output"
    for message in getattr(scorer, "messages", None) or ():
        yield from _VARIABLE.findall(str(message.get("content", "")))
    if getattr(scorer, "messages", None) is None:
        function = scorer._run_eval_sync  # noqa: SLF001 - the port that every scorer of autoevals implements
        yield from (p.name for p in inspect.signature(function).parameters.values() if p.name in _NEEDED_BY_CODE)


# Scorers of code declare `expected=None` and raise without it.
_NEEDED_BY_CODE = ("expected", "input", "context")
