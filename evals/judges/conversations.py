"""Judges of whole conversations: the traces of a session, each a turn."""

from collections.abc import Sequence

from evals.judging.rubric import Rubric, Score, judged
from evals.judging.scales import choices, levels, yes_no
from evals.sessions import turns_of
from heliograph.domain.evaluators import Judge, Verdict
from heliograph.domain.traces import Trace
from heliograph.evaluator import BOOLEAN, SHARE, evaluator_factory, one_of

FRUSTRATION = Rubric(
    "Decide whether the user shows frustration with the assistant: repeats themselves, complains, corrects it, grows"
    " curt or sarcastic, gives up or asks for a person. Being unhappy about something else does not count.",
    yes_no("the user shows frustration; quote where", "the user does not"),
)


@evaluator_factory(BOOLEAN)
def user_frustration(judge: Judge) -> Score:
    """Whether the user is frustrated with the assistant: true is bad.

    Source: ours; signs of Hancock et al., Learning from Dialogue after Deployment (2019).
    """

    async def score(session: Sequence[Trace]) -> Verdict:
        return await judged(judge, FRUSTRATION, conversation=told(session))

    return score


RESOLUTION = Rubric(
    "Say how the conversation ended for the user, by what they wanted in it altogether.",
    choices(
        resolved="every request was met or rightly declined", partly="some requests were met",
        unresolved="none was met, or the user left without an answer", handed_over="it was passed on to a person",
    ),
)  # fmt: skip


@evaluator_factory(one_of("resolved", "partly", "unresolved", "handed_over"))
def session_resolution(judge: Judge) -> Score:
    """How a conversation ended for the user.

    Source: ours; task success of Walker et al., PARADISE (1997).
    """

    async def score(session: Sequence[Trace]) -> Verdict:
        return await judged(judge, RESOLUTION, conversation=told(session))

    return score


RETENTION = Rubric(
    "Judge whether the assistant remembers what the user said earlier: it does not ask again for what it was told,"
    " forget constraints, or contradict what was agreed.",
    levels(
        "forgets almost everything", "forgets important things repeatedly", "forgets one important thing",
        "forgets a detail", "remembers all that matters",
    ),
)  # fmt: skip


@evaluator_factory(SHARE)
def knowledge_retention(judge: Judge) -> Score:
    """Whether the assistant remembers what it was told in the conversation.

    Source: ours; Bai et al., MT-Bench-101 (2024), context memory.
    """

    async def score(session: Sequence[Trace]) -> Verdict:
        return await judged(judge, RETENTION, conversation=told(session))

    return score


ROLE = Rubric(
    "Judge whether the assistant keeps to the role throughout: its duties, its limits, its manner. One clear breach"
    " weighs more than many turns that keep to it.",
    levels(
        "ignores the role",
        "leaves it repeatedly",
        "leaves it once",
        "keeps it with a rough spot",
        "keeps it throughout",
    ),
)


@evaluator_factory(SHARE)
def role_adherence(judge: Judge, role: str) -> Score:
    """Whether the assistant keeps to its role, given as a description.

    Source: ours; Wang et al., RoleLLM (2023).
    """

    async def score(session: Sequence[Trace]) -> Verdict:
        return await judged(judge, ROLE, role=role, conversation=told(session))

    return score


def told(session: Sequence[Trace]) -> str:
    """The conversation as text."""
    return "\n".join(f"USER: {turn.input}\nASSISTANT: {turn.output}" for turn in turns_of(session))
