"""Heuristics on what an agent did: the observations of one trace, in the order in which they started."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from evals.tools import names
from heliograph.domain.observations import Observation
from heliograph.evaluator import BOOLEAN, SHARE, Verdict, evaluator_factory

Score = Callable[..., Verdict | None]
Steps = Sequence[Observation]
Mode = Literal["exact", "unordered", "subset", "superset"]

_STEPS = frozenset({"TOOL", "RETRIEVER", "GENERATION", "AGENT", "CHAIN", "EMBEDDING", "GUARDRAIL", "EVALUATOR"})


def steps_of(trace: Steps, *types: str) -> list[Observation]:
    """The observations of these types by start; all but plain spans and events where none is named."""
    wanted = frozenset(types) or _STEPS
    return sorted((step for step in trace if step.type in wanted), key=lambda step: step.start_time)


@evaluator_factory(BOOLEAN)
def tool_sequence(mode: Mode = "exact") -> Score:
    """Whether the tools that a trace ran are the expected ones.

    Args:
        mode: `exact` the same in the same order, `unordered` the same in any order, `subset` nothing but expected
        tools,
            `superset` at least the expected ones. Each counts as often as it ran.

    Source: ours; multisets and sequences of names are compared.
    """

    def score(trace: Steps, expected_tool_calls: object) -> Verdict:
        said, meant = [step.name for step in steps_of(trace, "TOOL")], names(expected_tool_calls)
        ran, wanted = Counter(said), Counter(meant)
        fits = {"exact": said == meant, "unordered": ran == wanted, "subset": ran <= wanted, "superset": ran >= wanted}
        return Verdict(fits[mode], f"ran {' '.join(said) or 'none'}, expected {' '.join(meant) or 'none'}")

    return score


@evaluator_factory(SHARE)
def step_efficiency(*, needed: int = 0) -> Score:
    """How few steps were taken: needed steps through steps taken, at most 1.

    Args:
        needed: Steps of the shortest way. 0 takes the number of expected calls, and counts the tools that ran only.

    Source: success weighted by path length (Anderson et al., On Evaluation of Embodied Navigation Agents, 2018), of
    steps.
    """

    def score(trace: Steps, expected_tool_calls: object = None) -> Verdict | None:
        shortest = needed or len(names(expected_tool_calls or []))
        taken = len(steps_of(trace) if needed else steps_of(trace, "TOOL"))
        if not shortest or not taken:
            return None
        return Verdict(min(1.0, shortest / taken), f"{taken} steps where {shortest} are enough")

    return score


@evaluator_factory(BOOLEAN)
def loop_free(*, repeats: int = 3) -> Score:
    """Whether the trace never ran one step, or a cycle of up to four steps, so many times in a row.

    Steps are the same when name and input are: a tool that is asked something else each time is no loop.

    Source: ours; tandem repeats in the sequence of steps.
    """

    def score(trace: Steps) -> Verdict:
        steps = [(step.type, step.name, step.input) for step in steps_of(trace, "TOOL", "RETRIEVER", "GENERATION")]
        for size in range(1, 5):
            for start in range(len(steps) - size * repeats + 1):
                cycle = steps[start : start + size]
                if steps[start : start + size * repeats] == cycle * repeats:
                    return Verdict(
                        value=False, reason=f"{' '.join(name for _, name, _ in cycle)} ran {repeats} times in a row"
                    )
        return Verdict(value=True, reason=f"no cycle in {len(steps)} steps")

    return score


@evaluator_factory(SHARE)
def call_novelty() -> Score:
    """The share of runs of tools that were no repetition of an earlier one with the same input.

    Source: ours.
    """

    def score(trace: Steps) -> Verdict | None:
        runs = [(step.name, step.input) for step in steps_of(trace, "TOOL", "RETRIEVER")]
        if not runs:
            return None
        again = len(runs) - len(set(runs))
        return Verdict(1 - again / len(runs), f"{again} of {len(runs)} runs repeat an earlier one")

    return score


@evaluator_factory(SHARE)
def error_recovery() -> Score:
    """The share of failed steps after which a step of the same name succeeded. Traces without failed steps are skipped.

    Source: ours.
    """

    def score(trace: Steps) -> Verdict | None:
        steps = steps_of(trace)
        failed = [place for place, step in enumerate(steps) if step.level == "ERROR"]
        if not failed:
            return None
        lost = [
            steps[place].name for place in failed
            if not any(later.name == steps[place].name and later.level != "ERROR" for later in steps[place + 1 :])
        ]  # fmt: skip
        return Verdict(
            1 - len(lost) / len(failed), f"{len(failed)} failed, never made good: {' '.join(lost) or 'none'}"
        )

    return score


@evaluator_factory(BOOLEAN)
def steps_within(limit: int = 20) -> Score:
    """Whether the trace took at most so many steps: models, tools, retrievers and agents."""

    def score(trace: Steps) -> Verdict:
        taken = len(steps_of(trace))
        return Verdict(taken <= limit, f"{taken} steps")

    return score
