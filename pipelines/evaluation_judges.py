"""The judges of a run on the cluster: what they cost, at which pace they may be asked, and within which budget."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

from actors.leased_slots import LeasedSlots, Limiter
from actors.purse import Gate, Purse
from evals.assembly import connected_judge
from evals.errors import CallFailed, SandboxUnavailable
from evals.judging.cache import AnswerCache, CachedJudge
from evals.judging.limited import LimitedJudge
from evals.judging.paid import PaidJudge, Tariff
from evals.judging.recorded import RecordedCall, RecordedJudge, calls_of_evaluation
from evals.judging.retries import Backoff, PatientJudge
from evals.providers.library import loaded
from evals.sandbox.process import CodeProcess
from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.evaluation_runs import EvaluationPart, EvaluatorSpec, JudgeSpec
from heliograph.domain.evaluators import Judge, Outcome
from heliograph.outbound import Outbound
from heliograph.run_evaluator import RunEvaluator
from ingestion.pricing import PriceBook
from pipelines.judge_traces import JudgeTraces
from pipelines.run_evaluators import run_evaluator
from pipelines.target_trees import TargetTrees
from storage.postgres.llm_connections import LlmConnections

BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
# Failures that no other target would escape, by the type of their error, and what a run is blocked for.
BLOCKS: Mapping[str, str] = {
    "BudgetExhausted": BUDGET_EXHAUSTED,
    SandboxUnavailable.__name__: SandboxUnavailable.block,
    **{kind.__name__: kind.block for kind in CallFailed.__subclasses__() if kind.block},
}
_BACKOFF = Backoff(attempts=8)


def tariff_of(prices: PriceBook, spec: JudgeSpec) -> Tariff | None:
    """What a model costs by the project's definitions or the managed ones; None where it has no price."""
    model = prices.match(spec.model)
    tier = next((tier for tier in model.tiers if not tier.conditions), None) if model else None
    if tier is None or "input" not in tier.prices or "output" not in tier.prices:
        return None
    usd = {key: tier.prices[key] / UNITS_PER_DOLLAR for key in ("input", "output")}
    return Tariff(usd["input"], usd["output"], spec.max_tokens)


@dataclass(frozen=True)
class JudgeStores:
    """What judges are made of: connections, prices, the shared limiters and budgets, and what was answered before."""

    connections: LlmConnections
    outbound: Outbound
    prices: PriceBook
    limiter: Callable[[str, str], Limiter]
    gate: Gate
    cache: AnswerCache


class RunJudges:
    """The evaluators of one part, with their judges. Use it as a context.

    Args:
        stores: what judges are made of.
        part: whose attempt holds money and slots.
        traces: where calls are shown.
        trees: of the targets.
    """

    def __init__(
        self, stores: JudgeStores, part: EvaluationPart, traces: JudgeTraces, *, trees: TargetTrees
    ) -> None:  # fmt: skip
        self._stores, self._part, self._traces, self._trees = stores, part, traces, trees
        self._open = AsyncExitStack()
        self._purse = Purse(stores.gate, part.run_id, part.holder)

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._purse)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

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
        return run_evaluator(spec, judge, process)

    async def _judge(self, spec: JudgeSpec) -> Judge:
        await loaded()
        opened = await self._stores.connections.opened(spec.provider)
        limiter = self._stores.limiter(spec.provider, f"{opened.connection.base_url}\0{opened.secret_key}")
        slots = await self._open.enter_async_context(LeasedSlots(limiter, self._part.holder, self._part.run_id))
        model = connected_judge(spec, opened, self._stores.outbound)
        limited = LimitedJudge(RecordedJudge(model), slots)
        paid = PaidJudge(limited, tariff_of(self._stores.prices, spec), self._purse)
        return CachedJudge(PatientJudge(paid, _BACKOFF), self._stores.cache)
