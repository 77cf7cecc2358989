"""Two outputs for one input, side by side: a judge says which is better, asked twice with their places swapped."""

import asyncio

from evals.judging.rubric import Rubric, Score, judged
from evals.judging.scales import choices
from heliograph.domain.evaluators import Judge, Verdict
from heliograph.evaluator import evaluator_factory, one_of

DEFAULT_CRITERIA = "helpfulness, correctness, completeness and clarity; not length, order or style of formatting"

_SCALE = choices(
    first="the first is clearly better", second="the second is clearly better", tie="neither is clearly better"
)
_MIRRORED = {"first": "second", "second": "first", "tie": "tie"}
_NAMES = {"first": "win", "second": "loss", "tie": "tie"}


@evaluator_factory(one_of("win", "tie", "loss"))
def preference(judge: Judge, criteria: str = DEFAULT_CRITERIA) -> Score:
    """Whether the output wins against the column `baseline_output`.

    Judges prefer a place. So both orders are asked, and an output wins only where both agree; else it is a tie, marked
    as inconsistent in the metadata.

    Source: Zheng et al., Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena (2023), sections 3.1 and 3.4.
    """
    rubric = Rubric(f"Say which of two answers to the input is better by these criteria: {criteria}.", _SCALE)

    async def score(input: str, output: str, baseline_output: str) -> Verdict:
        straight, swapped = await asyncio.gather(
            judged(judge, rubric, input=input, first=output, second=baseline_output),
            judged(judge, rubric, input=input, first=baseline_output, second=output),
        )
        found = str(straight.value), _MIRRORED[str(swapped.value)]
        is_consistent = found[0] == found[1]
        value = _NAMES[found[0]] if is_consistent else "tie"
        reason = f"{straight.reason} – with places swapped: {swapped.reason}"
        return Verdict(value, reason, {"is_consistent": is_consistent}, straight.spending + swapped.spending)

    return score
