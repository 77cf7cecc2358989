"""Judges of what an output rests on: the context that was retrieved, and how good that is."""

import asyncio
from collections.abc import Sequence

from evals.judging.rubric import Rubric, Score, judged
from evals.judging.scales import levels, yes_no
from heliograph.domain.evaluators import Judge, Spending, Verdict
from heliograph.evaluator import BOOLEAN, SHARE, evaluator_factory

Passages = str | Sequence[str]

FAITHFULNESS = Rubric(
    "Take the statements of fact in the output one by one. Judge how many of them follow from the context alone. What"
    " you know yourself does not count as support, even if it is true. Statements about the answer itself do not"
    " count.",
    levels(
        "no statement is supported, or one contradicts the context", "few are supported", "about half are supported",
        "all but a minor one are supported", "every one is supported, or there is none",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def faithfulness(judge: Judge) -> Score:
    """Whether what the output says follows from the context.

    Source: faithfulness of Es et al., RAGAS (2023), section 3: statements checked one by one, here in one answer.
    """

    async def score(input: str, output: str, context: Passages) -> Verdict:
        return await judged(judge, FAITHFULNESS, input=input, context=context, output=output)

    return score


HALLUCINATION = Rubric(
    "Decide whether the output states, as a fact, anything that the context contradicts, or any specific (name,"
    " number, date, source, event) that neither input nor context has. Opinions, hedged guesses and common knowledge"
    " do not count.",
    yes_no(
        "it states something invented or contradicted; name it", "everything specific is in the input or the context"
    ),
)


@evaluator_factory(BOOLEAN)
def hallucination(judge: Judge) -> Score:
    """Whether the output invents facts, or contradicts its context: true is bad.

    Source: intrinsic and extrinsic hallucination of Ji et al., Survey of Hallucination in Natural Language Generation
    (2023), section 2.
    """

    async def score(input: str, output: str, context: Passages) -> Verdict:
        return await judged(judge, HALLUCINATION, input=input, context=context, output=output)

    return score


CONTEXT_RELEVANCE = Rubric(
    "Judge how much of the context helps to answer the input. Do not judge whether it is complete.",
    levels("nothing helps", "a little helps", "about half helps", "most of it helps", "all of it helps"),
)


@evaluator_factory(SHARE)
def context_relevance(judge: Judge) -> Score:
    """How much of the retrieved context serves the request.

    Source: context relevance of Es et al., RAGAS (2023), section 3.
    """

    async def score(input: str, context: Passages) -> Verdict:
        return await judged(judge, CONTEXT_RELEVANCE, input=input, context=context)

    return score


PASSAGE = Rubric(
    "Decide whether this passage is useful for arriving at the expected answer to the input.",
    yes_no("it holds something that the answer needs", "the answer does not need it"),
)


@evaluator_factory(SHARE)
def context_precision(judge: Judge) -> Score:
    """Whether useful passages come first: the mean, over the useful ones, of precision at their rank.

    Every passage is judged on its own. Without a useful one the value is 0.

    Source: average precision (Manning et al., Introduction to Information Retrieval, 2008, section 8.4) with a judge's
    relevance, as context precision of the Ragas library.
    """

    async def score(input: str, context: Passages, expected: str) -> Verdict:
        passages = [context] if isinstance(context, str) else context
        asked = (judged(judge, PASSAGE, input=input, expected=expected, passage=passage) for passage in passages)
        verdicts = await asyncio.gather(*asked)
        useful = [bool(verdict.value) for verdict in verdicts]
        precisions = [sum(useful[: rank + 1]) / (rank + 1) for rank, is_useful in enumerate(useful) if is_useful]
        spending = sum((verdict.spending for verdict in verdicts), Spending())
        reason = (
            f"useful of {len(useful)}: {', '.join(str(rank + 1) for rank, one in enumerate(useful) if one) or 'none'}"
        )
        value = sum(precisions) / len(precisions) if precisions else 0.0
        return Verdict(value, reason, {"useful": useful}, spending)

    return score


CONTEXT_RECALL = Rubric(
    "Take the statements of fact in the expected answer one by one. Judge how many of them the context supports:"
    " whether somebody could have written the expected answer from this context alone.",
    levels("none", "few", "about half", "all but a minor one", "every one"),
)


@evaluator_factory(SHARE)
def context_recall(judge: Judge) -> Score:
    """Whether the context holds what the expected answer needs.

    Source: context recall of the Ragas library, after Es et al. (2023), judged on levels.
    """

    async def score(input: str, context: Passages, expected: str) -> Verdict:
        return await judged(judge, CONTEXT_RECALL, input=input, context=context, expected=expected)

    return score
