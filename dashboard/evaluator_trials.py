"""Evaluators tried on what was traced before they are kept: verdicts are shown, and never become scores."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from dashboard.evaluator_changes import EVALUATORS
from dashboard.mandate import Mandate
from dashboard.model_calls import Providers
from dashboard.own_events import OwnEvents
from evals.assembly import connected_judge
from evals.judging.recorded import RecordedCall, RecordedJudge, calls_of_evaluation
from evals.project_evaluators import GivenScore, coded_scores, judged_scores
from evals.providers.library import loaded
from evals.sandbox.process import CodeProcess
from heliograph.domain import project_evaluators
from heliograph.domain.errors import EvaluationSkipped, HeliographError, InvalidRequest, Overloaded, Unavailable
from heliograph.domain.evaluation_jobs import Target
from heliograph.domain.evaluation_rules import VariableMapping
from heliograph.domain.evaluation_runs import JudgeSpec
from heliograph.domain.evaluators import Judge, OutcomeStatus, Spending
from heliograph.domain.project_evaluators import Definition, EvaluatorType, ModelChoice
from heliograph.domain.validation import requested
from ingestion.attributes.environment import OWN_SCOPE
from ingestion.own_spans import own_export
from pipelines.judge_traces import spans_of
from pipelines.rule_rows import TargetRow, TargetRows
from storage.clickhouse.connection import ClickHouse
from storage.postgres.connection import Database
from storage.postgres.evaluators import Evaluators
from storage.postgres.llm_connections import LlmConnections

MAX_TARGETS = 20
AT_ONCE = 4
GONE = "It is gone, or of an environment that is never judged."

Scoring = Callable[[TargetRow], Awaitable[list[GivenScore]]]


@dataclass(frozen=True)
class Trial:
    """What is tried: a definition that nobody has kept yet, and what fills its variables."""

    name: str
    definition: Definition
    mapping: Sequence[VariableMapping] = ()


@dataclass(frozen=True)
class Tried:
    """What came of one target; the cost is in US dollars, and the trace that of the judge's calls, '' of none."""

    target: Target
    status: OutcomeStatus
    scores: Sequence[GivenScore] = ()
    reason: str = ""
    latency_ms: float = 0.0
    cost_usd: float | None = 0.0
    trace_id: str = ""


class EvaluatorTrials:
    """The trials of one user; each raises RoleInsufficient when the role lacks the scope.

    Args:
        clickhouse: where targets are read.
        database: where connections and the default model are.
        mandate: of the user.
        events: the way of the judge's traces.
        providers: how models are reached.
    """

    def __init__(
        self, clickhouse: ClickHouse, database: Database, mandate: Mandate, *, events: OwnEvents, providers: Providers
    ) -> None:
        project_id = mandate.project.id
        self._mandate, self._events, self._outbound = mandate, events, providers.outbound
        self._rows = TargetRows(clickhouse, project_id)
        self._evaluators = Evaluators(database, project_id)
        self._connections = LlmConnections(database, project_id, providers.seal)

    async def run(self, trial: Trial, targets: Sequence[Target]) -> AsyncGenerator[Tried, None]:
        """What comes of each target, as soon as it has come; closing the iterator ends the others.

        Raises:
            InvalidRequest: it cannot be tried so.
            LlmConnectionNotFound, SecretUnreadable: its model cannot be called.
        """
        await self._mandate.act(EVALUATORS)
        project_evaluators.check(trial.name, trial.definition)
        if not 1 <= len(targets) <= MAX_TARGETS:
            raise InvalidRequest("targets", f"are 1 to {MAX_TARGETS}")
        slots = asyncio.Semaphore(AT_ONCE)
        async with self._scoring(trial) as scoring:

            async def one(target: Target) -> Tried:
                async with slots:
                    return await self._tried(trial, target, scoring)

            tasks = [asyncio.create_task(one(target)) for target in targets]
            try:
                for done in asyncio.as_completed(tasks):
                    yield await done
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def _scoring(self, trial: Trial) -> AsyncIterator[Scoring]:
        definition = trial.definition
        if definition.type is EvaluatorType.CODE:
            turn = asyncio.Lock()
            async with CodeProcess(definition.source_code) as process:

                async def coded(row: TargetRow) -> list[GivenScore]:
                    async with turn:
                        return await coded_scores(process, row.code_context)

                yield coded
        else:
            judge = await self._judge(await self._model(definition))

            async def judged(row: TargetRow) -> list[GivenScore]:
                return await judged_scores(judge, definition, trial.mapping, target=row.columns)

            yield judged

    async def _model(self, definition: Definition) -> ModelChoice:
        model = definition.model or await self._evaluators.default_model()
        if model is None:
            raise InvalidRequest("model", "is needed: the project has no default model for evaluations")
        return model

    async def _judge(self, model: ModelChoice) -> Judge:
        with requested("model"):
            spec = JudgeSpec.of(model)
        opened = await self._connections.opened(model.provider)
        await loaded()
        return RecordedJudge(connected_judge(spec, opened, self._outbound))

    async def _tried(self, trial: Trial, target: Target, scoring: Scoring) -> Tried:
        row = await self._rows.read(target)
        if row is None:
            return Tried(target, OutcomeStatus.SKIPPED, reason=GONE)
        calls: list[RecordedCall] = []
        # Of this task alone, which each target has.
        calls_of_evaluation.set(calls)
        began = time.monotonic()
        made = partial(Tried, target)
        try:
            scores = await scoring(row)
            made = partial(made, OutcomeStatus.SCORED if scores else OutcomeStatus.SKIPPED, scores)
            reason = "" if scores else "It gave no score."
        except EvaluationSkipped as skipped:
            made, reason = partial(made, OutcomeStatus.SKIPPED, ()), skipped.reason
        except HeliographError as error:
            made, reason = partial(made, OutcomeStatus.FAILED, ()), f"{type(error).__name__}: {error}"
        latency_ms = (time.monotonic() - began) * 1000
        trace_id, cost_usd = await self._traced(trial, target, calls)
        return made(reason=reason, latency_ms=latency_ms, cost_usd=cost_usd, trace_id=trace_id)

    async def _traced(self, trial: Trial, target: Target, calls: Sequence[RecordedCall]) -> tuple[str, float | None]:
        """Store the judge's calls; their trace's id, and what they cost by the project's prices."""
        if not calls:
            return "", 0.0
        trace_id, model = secrets.token_hex(16), (await self._model(trial.definition)).model
        about = {
            "tried_by": self._mandate.user.email, "target_trace_id": target.trace_id,
            "target_observation_id": target.id if target.is_whole else "",
        }  # fmt: skip
        spans = spans_of(trace_id, calls, score=trial.name, model=model, about=about)
        spent = sum((call.answer.spending for call in calls if call.answer), Spending())
        # The verdict was paid for and is shown, whatever becomes of its trace.
        with contextlib.suppress(Unavailable, Overloaded):
            stored = await self._events.intake.take_spans(self._mandate.project, own_export(spans, OWN_SCOPE))
            rows = stored.observations.select(["total_cost", "cost_details"]).to_pylist()
            priced = [float(row["total_cost"]) for row in rows if row["cost_details"]]
            return trace_id, sum(priced) if priced else spent.cost_usd
        return "", spent.cost_usd
