"""Judges of criteria that the user writes."""

from evals.judging.rubric import Rubric, Score, judged
from evals.judging.scales import levels, yes_no
from heliograph.domain.evaluators import Judge, Verdict
from heliograph.evaluator import BOOLEAN, SHARE, evaluator_factory

MET = levels("not met at all", "hardly met", "met in part", "met but for a detail", "fully met")
KEPT = yes_no("the output keeps to it, or it does not apply", "the output breaks it; quote where")


@evaluator_factory(SHARE)
def criteria_met(judge: Judge, criteria: str) -> Score:
    """How far the output meets criteria in the user's own words.

    Source: Liu et al., G-Eval (2023), without the weighing of token probabilities, which most providers do not return.
    """
    rubric = Rubric(f"Judge how far the output, given for the input, meets these criteria:\n{criteria}", MET)

    async def score(output: str, input: str = "", expected: str = "") -> Verdict:
        return await judged(judge, rubric, input=input, expected=expected, output=output)

    return score


@evaluator_factory(BOOLEAN)
def guideline_kept(judge: Judge, guideline: str) -> Score:
    """Whether the output keeps to one guideline in the user's own words.

    Source: principles of Bai et al., Constitutional AI (2022), checked one at a time.
    """
    rubric = Rubric(f"Decide whether the output, given for the input, keeps to this guideline:\n{guideline}", KEPT)

    async def score(output: str, input: str = "") -> Verdict:
        return await judged(judge, rubric, input=input, output=output)

    return score
