"""The judges of a run on the cluster: what they cost, at which pace they may be asked, and within which budget."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from actors.leased_slots import LeasedSlots
from actors.purse import Purse
from evals.assembly import connected_judge, embedder_identity
from evals.errors import CallFailed, JudgeUnbounded, SandboxUnavailable
from evals.judging.batched import BatchedJudge
from evals.judging.cache import CachedJudge
from evals.judging.embedding import BudgetedEmbedder
from evals.judging.limited import LimitedJudge
from evals.judging.models import ModelJudge
from evals.judging.paid import PaidJudge, Tariff
from evals.judging.recorded import RecordedCall, RecordedJudge, calls_of_evaluation
from evals.judging.retries import Backoff, PatientJudge
from evals.providers.batches import PRICE_SHARE
from evals.providers.connections import reached
from evals.providers.embeddings import Embedded, embedded
from evals.providers.library import loaded
from evals.sandbox.process import CodeProcess
from heliograph.domain.evaluation_runs import EmbedderSpec, EvaluationPart, EvaluatorSpec, JudgeSpec
from heliograph.domain.evaluators import Embedder, Judge, Outcome
from heliograph.domain.llm_connections import OpenedLlmConnection
from heliograph.run_evaluator import RunEvaluator
from pipelines.judge_stores import JudgeStores, embedding_tariff_of, tariff_of
from pipelines.judge_traces import JudgeTraces
from pipelines.run_evaluators import run_evaluator
from pipelines.target_trees import TargetTrees
from storage.postgres.judge_batches import JudgeBatches

BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
# Failures that no other target would escape, by the type of their error, and what a run is blocked for.
BLOCKS: Mapping[str, str] = {
    "BudgetExhausted": BUDGET_EXHAUSTED,
    SandboxUnavailable.__name__: SandboxUnavailable.block,
    **{kind.__name__: kind.block for kind in CallFailed.__subclasses__() if kind.block},
}
_BACKOFF = Backoff(attempts=8)


class RunJudges:
    """The evaluators of one part, with their judges. Use it as a context.

    Args:
        stores: what judges are made of.
        part: whose attempt holds money and slots.
        traces: where calls are shown.
        trees: of the targets.
        batches: of the run, where judges are asked by these.
    """

    def __init__(
        self,
        stores: JudgeStores,
        part: EvaluationPart,
        traces: JudgeTraces,
        *,
        trees: TargetTrees,
        batches: JudgeBatches | None = None,
    ) -> None:
        self._stores, self._part, self._traces, self._trees = stores, part, traces, trees
        self._batches = batches
        self.batched: list[tuple[JudgeSpec, BatchedJudge]] = []
        self._open = AsyncExitStack()
        self._purse = Purse(stores.gate, part.run_id, part.holder)

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._purse)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._open.aclose()
        finally:
            # What was paid is kept, whatever else fails.
            await self._stores.cache.settle()

    async def evaluators(self, specs: Sequence[EvaluatorSpec]) -> list[RunEvaluator]:
        """Ready to be asked.

        Raises:
            LlmConnectionNotFound, SecretUnreadable: a provider cannot be called.
            JudgeUnbounded: a model has no price.
        """
        return [await self._evaluator(spec) for spec in specs]

    async def ask(self, asked: RunEvaluator, row: Mapping[str, Any], /) -> tuple[Outcome, str]:
        """The outcome, and the trace of what was asked for it."""
        calls: list[RecordedCall] = []
        token = calls_of_evaluation.set(calls)
        try:
            outcome = await asked.evaluator.evaluate(await self._trees.completed(row, asked.columns))
        finally:
            calls_of_evaluation.reset(token)
        if not calls or asked.spec.judge is None:
            return outcome, ""
        trace_id = secrets.token_hex(16)
        self._traces.add(trace_id, calls, score=asked.spec.score_name, model=asked.spec.judge.model, target=row)
        await self._traces.flush()
        return outcome, trace_id

    async def _evaluator(self, spec: EvaluatorSpec) -> RunEvaluator:
        judge = await self._judge(spec.judge) if spec.judge else None
        process = None
        if spec.rule is not None and spec.rule.definition.source_code:
            process = await self._open.enter_async_context(CodeProcess(spec.rule.definition.source_code))
        embedder = await self._embedder(spec.embedder) if spec.embedder else None
        return run_evaluator(spec, judge, process, embedder=embedder)

    async def _embedder(self, spec: EmbedderSpec) -> Embedder:
        opened = await self._stores.connections.opened(spec.provider)
        model = reached(opened, spec.model, self._stores.outbound)

        async def call(texts: Sequence[str]) -> Embedded:
            return await embedded(model, texts, spec.dimensions)

        return BudgetedEmbedder(
            embedder_identity(spec, opened.connection.adapter),
            call,
            tariff=embedding_tariff_of(self._stores.prices, spec),
            money=self._purse,
            slots=await self._slots(opened),
            known=self._stores.vectors,
        )

    async def _slots(self, opened: OpenedLlmConnection) -> LeasedSlots:
        connection = opened.connection
        limiter = self._stores.limiter(connection.provider, opened.pacing_key)
        return await self._open.enter_async_context(LeasedSlots(limiter, self._part.holder, self._part.run_id))

    async def _judge(self, spec: JudgeSpec) -> Judge:
        await loaded()
        opened = await self._stores.connections.opened(spec.provider)
        model = connected_judge(spec, opened, self._stores.outbound)
        tariff = tariff_of(self._stores.prices, spec)
        if self._batches is not None:
            return self._batched(spec, model, tariff, batches=self._batches)
        paid = PaidJudge(LimitedJudge(RecordedJudge(model), await self._slots(opened)), tariff, self._purse)
        return CachedJudge(PatientJudge(paid, _BACKOFF), self._stores.cache)

    def _batched(self, spec: JudgeSpec, model: ModelJudge, tariff: Tariff | None, *, batches: JudgeBatches) -> Judge:
        if tariff is None:
            raise JudgeUnbounded(model.identity)
        judge = BatchedJudge(model, tariff.at(PRICE_SHARE), answers=batches, cache=self._stores.cache)
        self.batched.append((spec, judge))
        return judge
