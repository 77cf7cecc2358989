"""Several judges instead of one: their mean or majority, how far they agree, and who dissents."""

import asyncio
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from evals.errors import JuryIncomplete
from heliograph.content_hash import content_hash
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluators import Outcome, OutcomeStatus, Spending, Verdict
from heliograph.evaluator import EvaluationSkipped, Evaluator


def jury(members: Sequence[Evaluator], *, name: str = "jury", quorum: int = 0) -> Evaluator:
    """An evaluator that asks all members and gives the mean of their numbers, or the label that most of them gave.

    The metadata hold every member's value, `variance` of numbers (of the population) or `agreement`, the share of the
    majority. The members' versions make the jury's. Labels without a single majority go to the earliest member's.

    Args:
        members: Evaluators that give the same kind of value, best by judges of different families.
        name: What the scores are called.
        quorum: How many verdicts are needed; 0 is more than half.

    Raises:
        InvalidRequest: there are fewer than two members, or their values differ in kind.

    Source: Verga et al., Replacing Judges with Juries: Evaluating LLM Generations with a Panel of Diverse Models
    (2024).
    """
    if len(members) < 2 or len({member.values for member in members}) != 1:
        raise InvalidRequest("members", "a jury has two or more evaluators with the same values")
    needed = quorum or len(members) // 2 + 1
    inputs = tuple(dict.fromkeys(entry for member in members for entry in member.inputs))
    optional = tuple(dict.fromkeys(entry for member in members for entry in member.optional if entry not in inputs))

    async def ask(**given: Any) -> Verdict:
        outcomes = await asyncio.gather(*(_outcome(member, given) for member in members))
        return _joined([member.name for member in members], outcomes, needed)

    version = content_hash(members=[member.version for member in members], quorum=needed)
    return Evaluator(name, ask, version, inputs, optional, members[0].values)


async def _outcome(member: Evaluator, given: Mapping[str, Any]) -> Outcome:
    known = {name: value for name, value in given.items() if name in (*member.inputs, *member.optional)}
    try:
        verdict = await member(**known) if member.is_async else member(**known)
    except EvaluationSkipped as skipped:
        return Outcome.skipped(skipped.reason)
    except Exception as error:  # noqa: BLE001 - one member must not take the others' verdicts along
        return Outcome.failed(error)
    return Outcome.scored(verdict)


def _joined(names: Sequence[str], outcomes: Sequence[Outcome], needed: int) -> Verdict:
    verdicts = [outcome.verdict for outcome in outcomes if outcome.verdict is not None]
    spending = sum((outcome.spending for outcome in outcomes), Spending())
    if all(outcome.status is OutcomeStatus.SKIPPED for outcome in outcomes):
        raise EvaluationSkipped(outcomes[0].reason)
    if len(verdicts) < needed:
        reasons = "; ".join(outcome.reason for outcome in outcomes if outcome.verdict is None)
        incomplete = JuryIncomplete(len(verdicts), len(outcomes), reasons)
        incomplete.spending = spending
        raise incomplete
    values = [verdict.value for verdict in verdicts]
    said = [
        f"{name}: {outcome.verdict.value} ({outcome.verdict.reason})"
        if outcome.verdict
        else f"{name}: {outcome.reason}"
        for name, outcome in zip(names, outcomes, strict=True)
    ]
    votes = {"values": values, "missing": len(outcomes) - len(verdicts)}
    if isinstance(values[0], float | int) and not isinstance(values[0], bool):
        numbers = [float(value) for value in values]
        found = {**votes, "variance": statistics.pvariance(numbers)}
        return Verdict(statistics.fmean(numbers), "\n".join(said), found, spending)
    winner, count = Counter(values).most_common(1)[0]
    return Verdict(winner, "\n".join(said), {**votes, "agreement": count / len(values)}, spending)
