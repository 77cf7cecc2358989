"""Heuristics on conversations: the traces of one session, each a turn, in their order."""

import re
from collections.abc import Callable, Sequence

from rapidfuzz import fuzz

from evals.text import is_refusal
from heliograph.domain.traces import Trace
from heliograph.evaluator import BOOLEAN, SHARE, Verdict, evaluator_factory

Score = Callable[..., Verdict | None]
Turns = Sequence[Trace]

_THANKS = re.compile(r"(?i)\b(?:thanks?|thank you|perfect|great|that (?:works|worked|helps|helped)|solved|got it)\b")
_COMPLAINTS = re.compile(
    r"(?i)\b(?:(?:does|did)n['\u2019]?t (?:work|help)|not what i (?:asked|meant)|wrong again|useless"
    r"|still (?:not|does|broken|the same)|speak (?:to|with) (?:a|an) (?:human|person|agent))\b"
)


@evaluator_factory(BOOLEAN)
def session_resolved() -> Score:
    """Whether a conversation seems to have ended well: its last turn has no error, refusal or complaint.

    A last message with thanks settles it. Words are English; `session_resolution` asks a judge.

    Source: ours; signs of dissatisfaction as in Hancock et al., Learning from Dialogue after Deployment (2019).
    """
    refuses = is_refusal()

    def score(session: Turns) -> Verdict:
        last = turns_of(session)[-1]
        if _COMPLAINTS.search(last.input):
            return Verdict(value=False, reason="the last message complains")
        if _THANKS.search(last.input):
            return Verdict(value=True, reason="the last message says thanks")
        if last.level == "ERROR" or not last.output:
            return Verdict(value=False, reason="the last turn failed or has no output")
        refused = bool(refuses(last.output).value)
        return Verdict(not refused, "the last answer refuses" if refused else "the last turn has an answer")

    return score


@evaluator_factory(SHARE)
def turn_latency_within(seconds: float = 5.0) -> Score:
    """The share of turns that took at most so many seconds; turns without an end do not count.

    Source: of the default's order, Nielsen, Usability Engineering (1993), chapter 5.
    """

    def score(session: Turns) -> Verdict | None:
        taken = [turn.latency_ms / 1_000 for turn in turns_of(session) if turn.latency_ms is not None]
        if not taken:
            return None
        slow = sum(latency > seconds for latency in taken)
        return Verdict(
            1 - slow / len(taken), f"{slow} of {len(taken)} turns took longer; the slowest {max(taken):.1f} s"
        )

    return score


@evaluator_factory(SHARE)
def rephrasing(*, similarity: float = 0.8) -> Score:
    """The share of messages that say nearly what an earlier one said: a user who has to repeat was not understood.

    Args:
        similarity: From which share of common words, in any order, two messages count as the same.

    Source: ours; rephrasing as a sign of failure: Sarikaya, The Technology behind Personal Digital Assistants (2017).
    """

    def score(session: Turns) -> Verdict | None:
        messages = [turn.input for turn in turns_of(session) if turn.input]
        if len(messages) < 2:
            return None
        again = sum(
            any(fuzz.token_sort_ratio(message, earlier) >= 100 * similarity for earlier in messages[:place])
            for place, message in enumerate(messages)
        )
        return Verdict(again / (len(messages) - 1), f"{again} of {len(messages) - 1} messages repeat an earlier one")

    return score


@evaluator_factory(BOOLEAN)
def turns_within(limit: int = 10) -> Score:
    """Whether the conversation took at most so many turns."""

    def score(session: Turns) -> Verdict:
        return Verdict(len(session) <= limit, f"{len(session)} turns")

    return score


def turns_of(session: Turns) -> list[Trace]:
    """The turns in their order of time."""
    return sorted(session, key=lambda turn: turn.timestamp)
