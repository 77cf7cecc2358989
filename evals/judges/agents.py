"""Judges of what agents do and of code that models write."""

from collections.abc import Sequence
from typing import Any

from evals.judging.rubric import Rubric, Score, judged
from evals.judging.scales import levels, yes_no
from evals.trajectory import steps_of
from heliograph.domain.evaluators import Judge, Verdict
from heliograph.domain.observations import Observation
from heliograph.evaluator import BOOLEAN, SHARE, evaluator_factory

# Of the input and output of one step, so many characters are shown.
_SHOWN = 1_500

TOOL_USE = Rubric(
    "Judge the calls of tools that were made for the input, given the available tools: whether a call was needed, the"
    " right tool was chosen, its arguments are valid and say what the input says, and none is missing or superfluous.",
    levels(
        "wrong tools, or made-up ones", "right tool with wrong arguments, or a needed call is missing",
        "works, with a needless or imprecise call", "right, with a negligible flaw", "exactly the needed calls",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def tool_use_correctness(judge: Judge) -> Score:
    """Whether the right tools were called with the right arguments.

    Source: the aspects of Patil et al., Berkeley Function Calling Leaderboard (2024): relevance, choice, arguments.
    """

    async def score(input: str, tool_calls: Any, available_tools: Any = "not recorded") -> Verdict:
        return await judged(judge, TOOL_USE, input=input, available_tools=available_tools, tool_calls=tool_calls)

    return score


TOOL_RESULTS = Rubric(
    "Judge whether the output uses what the tools returned: it reports results truly, notices errors and empty"
    " answers, and does not claim that something was done which no tool did.",
    levels(
        "claims what no tool did, or contradicts a result", "ignores results that matter", "uses them in part",
        "uses them with a small slip", "uses them fully and truly",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def tool_result_use(judge: Judge) -> Score:
    """Whether an agent's answer is true to what its tools returned.

    Source: ours; after the checks of final states in Yao et al., tau-bench (2024).
    """

    async def score(trace: Sequence[Observation], output: str) -> Verdict:
        return await judged(judge, TOOL_RESULTS, steps=told(trace), output=output)

    return score


GOAL = Rubric(
    "Decide whether the agent achieved what the input asks for, by what the steps show was really done. A plan, a"
    " promise or a claim without a step behind it achieves nothing. A goal that cannot be achieved is achieved by"
    " saying so truly.",
    yes_no("the goal is achieved", "it is not, or not wholly; say what is missing"),
)


@evaluator_factory(BOOLEAN)
def goal_achieved(judge: Judge) -> Score:
    """Whether the agent achieved what it was asked for.

    Source: success rate of Liu et al., AgentBench (2023), and Yao et al., tau-bench (2024), by a judge.
    """

    async def score(input: str, output: str, trace: Sequence[Observation] = ()) -> Verdict:
        return await judged(judge, GOAL, input=input, steps=told(trace), output=output)

    return score


TRAJECTORY = Rubric(
    "Judge the way that the agent took from the input to its answer: each step follows from what was known before,"
    " errors are noticed and handled, nothing is done twice for nothing, and no risky action is taken without need.",
    levels(
        "aimless or harmful", "mostly detours", "gets there with clear detours", "sound with a small detour",
        "every step is sound and needed",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def trajectory_quality(judge: Judge) -> Score:
    """Whether the agent's steps are sound and needed.

    Source: ours; the aspects of Zhuge et al., Agent-as-a-Judge (2024).
    """

    async def score(input: str, trace: Sequence[Observation]) -> Verdict:
        return await judged(judge, TRAJECTORY, input=input, steps=told(trace))

    return score


SQL = Rubric(
    "Decide whether the two queries return the same rows, whatever the data that the schema allows. Names of columns,"
    " their order and formatting make no difference; sorting does where the input asks for it. If they may differ for"
    " some data, describe such data.",
    yes_no("the same rows for all data", "different rows for some data"),
)


@evaluator_factory(BOOLEAN)
def sql_equivalence(judge: Judge) -> Score:
    """Whether the output's query means the same as the expected one; `context` may hold the schema.

    Source: execution accuracy of Zhong, Yu, Klein, Semantic Evaluation for Text-to-SQL (2020), reasoned instead of run.
    """

    async def score(output: str, expected: str, *, input: str = "", context: str | Sequence[str] = "") -> Verdict:
        return await judged(judge, SQL, input=input, schema=context, expected=expected, output=output)

    return score


CODE = Rubric(
    "Judge the code in the output as a careful reviewer: it does what the input asks, also at the edges; it is safe"
    " (no injection, no leaked secrets or resources); it reads clearly and has nothing needless. Correctness weighs"
    " most.",
    levels(
        "does not run or does something else", "works for the simplest case only", "works; an edge or a risk is missed",
        "right and safe; could be clearer", "right, safe and clear",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def code_quality(judge: Judge) -> Score:
    """How good the output's code is as an answer to the input.

    Source: ours; the aspects of ISO/IEC 25010:2023: functional correctness, security, maintainability.
    """

    async def score(input: str, output: str) -> Verdict:
        return await judged(judge, CODE, input=input, output=output)

    return score


def told(trace: Sequence[Observation]) -> str:
    """The steps of a trace as text, one paragraph each; long payloads are cut visibly."""
    return "\n\n".join(
        f"{place}. {step.type} {step.name}{' (failed: ' + step.status_message + ')' if step.level == 'ERROR' else ''}\n"
        f"   given: {_cut(step.input)}\n   returned: {_cut(step.output)}"
        for place, step in enumerate(steps_of(trace), 1)
    )


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} … ({len(text) - _SHOWN} characters more)"
