"""Judges of answers: right, relevant, complete, helpful, clear, brief, obedient."""

from evals.judging.rubric import Rubric, Score, judged
from evals.judging.scales import choices, levels
from heliograph.domain.evaluators import Judge, Verdict
from heliograph.evaluator import SHARE, evaluator_factory, one_of

CORRECTNESS = Rubric(
    "Compare the output with the expected answer to the input. Judge facts only: wording, order, tone and extra"
    " detail that does not contradict the expected answer make no difference. A missing or contradicted fact does.",
    levels(
        "contradicts the expected answer, or answers something else",
        "has a little of it right; most facts are wrong or missing",
        "has about half of the facts right",
        "has all important facts right; a minor one is missing or imprecise",
        "has every fact of the expected answer and contradicts none",
    ),
)


@evaluator_factory(SHARE)
def correctness(judge: Judge) -> Score:
    """Whether the output states what the expected answer states.

    Source: after the factual comparison of OpenAI Evals' closed questions (2023) and answer correctness of Es et al.,
    RAGAS (2023); levels after Prometheus (2023).
    """

    async def score(input: str, output: str, expected: str) -> Verdict:
        return await judged(judge, CORRECTNESS, input=input, output=output, expected=expected)

    return score


RELEVANCE = Rubric(
    "Judge whether the output addresses what the input asks for. Do not judge whether it is true. Count against it"
    " what does not serve the request: digressions, answers to other questions, boilerplate in place of an answer.",
    levels(
        "does not address the request at all",
        "touches its subject but not what is asked",
        "addresses a part, or buries it among what was not asked",
        "addresses the request with some needless content",
        "addresses exactly what is asked",
    ),
)


@evaluator_factory(SHARE)
def relevance(judge: Judge) -> Score:
    """Whether the output answers what was asked, true or not.

    Source: answer relevance of Es et al., RAGAS (2023), section 3, asked directly.
    """

    async def score(input: str, output: str) -> Verdict:
        return await judged(judge, RELEVANCE, input=input, output=output)

    return score


COMPLETENESS = Rubric(
    "List for yourself every question, demand and constraint in the input. Judge how many of them the output takes"
    " care of. Saying openly that something cannot be answered, and why, takes care of it.",
    levels(
        "takes care of none", "takes care of few", "takes care of about half",
        "takes care of all but a minor one", "takes care of every one",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def completeness(judge: Judge) -> Score:
    """Whether the output takes care of every part of the request.

    Source: the decomposition of requests of Qin et al., InFoBench (2024), judged at once.
    """

    async def score(input: str, output: str) -> Verdict:
        return await judged(judge, COMPLETENESS, input=input, output=output)

    return score


HELPFULNESS = Rubric(
    "Put yourself in the place of whoever wrote the input, with their likely goal. Judge how far the output gets them"
    " there: usable as it is, right in substance, at their level, with what they need to know next. Politeness alone"
    " helps nobody.",
    levels(
        "useless or harmful to the goal", "hardly helps; they must start over",
        "helps in part; much is left to them", "helps, with small gaps", "gets them where they wanted to be",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def helpfulness(judge: Judge) -> Score:
    """How far the output gets whoever asked to their goal.

    Source: helpfulness of Askell et al., A General Language Assistant as a Laboratory for Alignment (2021).
    """

    async def score(input: str, output: str) -> Verdict:
        return await judged(judge, HELPFULNESS, input=input, output=output)

    return score


COHERENCE = Rubric(
    "Judge whether the output holds together as a text: sentences follow from each other, references are clear, it"
    " does not contradict itself, and its order serves the reader. Do not judge whether it is true.",
    levels(
        "cannot be followed", "breaks apart repeatedly or contradicts itself", "can be followed with effort",
        "holds together with a rough spot", "holds together throughout",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def coherence(judge: Judge) -> Score:
    """Whether the output holds together as a text.

    Source: coherence of Fabbri et al., SummEval (2021), section 4.3.
    """

    async def score(output: str) -> Verdict:
        return await judged(judge, COHERENCE, output=output)

    return score


CONCISENESS = Rubric(
    "Judge whether the output says what the input needs in no more words than that takes. Count repetition,"
    " preambles, restated questions, hedges and closing offers against it. Do not count needed detail, nor reward"
    " missing content.",
    levels(
        "mostly padding", "more padding than substance", "noticeable padding", "a few needless words",
        "nothing could be left out",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def conciseness(judge: Judge) -> Score:
    """Whether the output wastes no words.

    Source: ours, against the preference for length that Zheng et al., Judging LLM-as-a-Judge (2023), section 3.3,
    found.
    """

    async def score(input: str, output: str) -> Verdict:
        return await judged(judge, CONCISENESS, input=input, output=output)

    return score


INSTRUCTION_FOLLOWING = Rubric(
    "Find every explicit instruction in the input about form and content: format, length, language, what to include"
    " and to avoid. Judge how many the output keeps. An instruction that is kept in letter but defeated in purpose is"
    " broken.",
    levels(
        "keeps none", "breaks most", "keeps about half", "breaks a minor one", "keeps every one, or there is none",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def instruction_following(judge: Judge) -> Score:
    """Whether the output keeps to every explicit instruction.

    Source: Zhou et al., Instruction-Following Evaluation for Large Language Models (2023), for what code cannot check.
    """

    async def score(input: str, output: str) -> Verdict:
        return await judged(judge, INSTRUCTION_FOLLOWING, input=input, output=output)

    return score


TONE = Rubric(
    "Say which tone the output has towards its reader. Judge the words, not the subject: bad news can be told warmly.",
    choices(
        warm="friendly, shows interest in the reader", neutral="plain and businesslike",
        cold="curt, dismissive or mechanical", hostile="rude, mocking, threatening or blaming",
    ),
)  # fmt: skip


@evaluator_factory(one_of("warm", "neutral", "cold", "hostile"))
def tone(judge: Judge) -> Score:
    """Which tone the output has towards its reader.

    Source: ours; politeness strategies of Danescu-Niculescu-Mizil et al., A Computational Approach to Politeness
    (2013).
    """

    async def score(output: str) -> Verdict:
        return await judged(judge, TONE, output=output)

    return score


SUMMARY = Rubric(
    "The output is to summarise the source. Judge both: it holds the points that matter most, and nothing that the"
    " source does not say. A wrong statement weighs more than a missing one.",
    levels(
        "misrepresents the source", "misses the main points or invents some", "has the main points with a wrong detail",
        "faithful; misses a lesser point", "faithful, with every point that matters",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def summary_quality(judge: Judge) -> Score:
    """Whether the output is a faithful summary of the input, with what matters.

    Source: consistency and relevance of Fabbri et al., SummEval (2021), section 4.3.
    """

    async def score(input: str, output: str) -> Verdict:
        return await judged(judge, SUMMARY, source=input, output=output)

    return score
