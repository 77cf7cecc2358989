"""What the jobs of rules ask and write with: judges at their providers' pace, traces of what was asked, scores."""

import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple, Self

from actors.intake import Appends
from actors.leased_slots import LeasedSlots, Limiter
from evals.assembly import connected_judge
from evals.judging.limited import LimitedJudge
from evals.judging.recorded import RecordedCall, RecordedJudge, calls_of_evaluation
from evals.judging.retries import Backoff, PatientJudge
from evals.project_evaluators import GivenScore
from evals.providers.library import loaded
from heliograph.domain.errors import Overloaded, Unavailable
from heliograph.domain.evaluation_jobs import EvaluationJob
from heliograph.domain.evaluation_rules import RULE_KEY, RuleTarget
from heliograph.domain.evaluation_runs import JudgeSpec
from heliograph.domain.evaluators import Judge
from heliograph.domain.project_evaluators import ModelChoice
from heliograph.outbound import Outbound
from ingestion.project_mapping import ProjectMapping
from ingestion.scores import ScoreBody
from pipelines.judge_traces import JudgeTraces
from storage.postgres.llm_connections import LlmConnections

# Within one attempt; a job is tried again later, and its worker must not hold it for long.
_BACKOFF = Backoff(attempts=3, longest_seconds=20.0)


class RuleJudges:
    """Judges, traces and scores of one project. Use it as a context: its slots are given back at the end.

    Args:
        connections: of the project.
        outbound: what addresses may be called.
        limiter: of a provider and key.
        lanes: where traces and scores go.
        mapping: of the project.
    """

    def __init__(
        self,
        connections: LlmConnections,
        outbound: Outbound,
        limiter: Callable[[str, str], Limiter],
        *,
        lanes: Appends,
        mapping: ProjectMapping,
    ) -> None:
        self._connections, self._outbound, self._limiter = connections, outbound, limiter
        self._lanes, self._mapping = lanes, mapping
        self._open = AsyncExitStack()
        self._judges: dict[str, Judge] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def judge(self, model: ModelChoice) -> Judge:
        """The judge of a model.

        Raises:
            LlmConnectionNotFound, SecretUnreadable: its provider cannot be called.
        """
        name = str(model.document())
        if name not in self._judges:
            self._judges[name] = await self._made(model)
        return self._judges[name]

    async def recorded(
        self, asking: Awaitable[list[GivenScore]], *, job: EvaluationJob, name: str, model: str
    ) -> tuple[list[GivenScore], str]:
        """What comes of asking a judge, and the id of the trace that shows its calls, also where no verdict came."""
        calls: list[RecordedCall] = []
        token = calls_of_evaluation.set(calls)
        trace_id = secrets.token_hex(16)
        try:
            scores = await asking
        finally:
            calls_of_evaluation.reset(token)
            if calls:
                traces = JudgeTraces(self._lanes, self._mapping, job.rule_id, key=RULE_KEY)
                is_whole = job.target.is_whole
                target = {"trace_id": job.target.trace_id, "observation_id": job.target.id if is_whole else ""}
                traces.add(trace_id, calls, score=name, model=model, target=target)
                # A verdict that was paid for is worth more than its trace.
                with contextlib.suppress(Unavailable, Overloaded):
                    await traces.flush(at_least=1)
        return scores, trace_id if calls else ""

    async def write(self, bodies: Sequence[ScoreBody]) -> None:
        """Return when the scores are durable; raises Overloaded, Unavailable."""
        if bodies:
            await self._lanes.append(await self._mapping.scores(bodies))

    async def _made(self, model: ModelChoice) -> Judge:
        await loaded()
        opened = await self._connections.opened(model.provider)
        limiter = self._limiter(model.provider, opened.pacing_key)
        slots = await self._open.enter_async_context(LeasedSlots(limiter, f"rules-{secrets.token_hex(8)}", "rules"))
        judge = connected_judge(JudgeSpec.of(model), opened, self._outbound)
        return PatientJudge(LimitedJudge(RecordedJudge(judge), slots), _BACKOFF)


class Subject(NamedTuple):
    """What a score is about."""

    trace_id: str = ""
    observation_id: str = ""
    session_id: str = ""


def subject(job: EvaluationJob) -> Subject:
    """What the scores of a job are about."""
    if job.target.kind is RuleTarget.SESSION:
        return Subject(session_id=job.target.id)
    if job.target.kind is RuleTarget.TRACE:
        return Subject(job.target.id)
    return Subject(job.target.trace_id, job.target.id)
