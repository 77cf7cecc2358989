"""The evaluators of a run: those of the catalogue, and those that a project keeps for its rules."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from evals.assembly import assembled
from evals.project_evaluators import GivenScore, coded_scores, judged_scores
from evals.sandbox.process import CodeProcess
from heliograph.domain import rule_filters
from heliograph.domain.errors import EvaluationSkipped
from heliograph.domain.evaluation_rules import MappingSource, RuleTarget
from heliograph.domain.evaluation_runs import EvaluatorSpec
from heliograph.domain.evaluators import Embedder, Judge, Verdict
from heliograph.domain.observations import Observation
from heliograph.domain.project_evaluators import EvaluatorType
from heliograph.domain.rule_specs import RuleSpec
from heliograph.domain.tool_calls import tool_calls_of
from heliograph.evaluator import Evaluator
from heliograph.run_evaluator import TREE, RunEvaluator
from pipelines.rule_rows import TargetRow, columns_of, item_columns, step_of

_PAYLOAD = ("input", "output", "metadata")
Scores = Callable[[TargetRow], Awaitable[Sequence[GivenScore]]]


def run_evaluator(
    spec: EvaluatorSpec,
    judge: Judge | None,
    process: CodeProcess | None = None,
    *,
    embedder: Embedder | None = None,
) -> RunEvaluator:
    """The evaluator that is meant.

    Args:
        spec: what it is.
        judge: whom it asks, if anybody.
        process: what runs its code, if it has some.
        embedder: what turns texts into vectors, if it compares these.

    Raises:
        InvalidRequest: there is no such evaluator, or it cannot be made of this.
    """
    if spec.rule is None:
        return RunEvaluator(spec, assembled(spec, judge, embedder))
    return RunEvaluator(spec, _of_rule(spec, spec.rule, _scores(spec.rule, judge, process)))


def _of_rule(spec: EvaluatorSpec, rule: RuleSpec, scores: Scores) -> Evaluator:
    """It judges rows of a selection as the rule judges what arrives."""

    async def evaluate(
        input: str = "",  # noqa: A002 - the parameters are the columns that are read
        output: str = "",
        metadata: Mapping[str, str] | None = None,
        *,
        trace: Sequence[Observation] = (),
    ) -> Verdict:
        called = [call.name for call in tool_calls_of(output)] if rule.conditions else []
        if not all(rule_filters.holds(condition, called) for condition in rule.conditions):
            raise EvaluationSkipped("the rule's conditions on tools do not hold")
        columns = columns_of(input, output, metadata or {})
        if rule.target is RuleTarget.EXPERIMENT:
            columns |= item_columns(metadata or {})
        if rule.target is RuleTarget.TRACE:
            columns["trace"] = [step_of(step) for step in trace]
        return _verdict(await scores(TargetRow(columns, "")))

    return Evaluator(spec.name, evaluate, spec.version, (), _columns_read(rule))


def _columns_read(rule: RuleSpec) -> tuple[str, ...]:
    """What is to be selected: the observations of a trace only where somebody asks for them."""
    is_code = rule.definition.type is EvaluatorType.CODE
    is_whole = is_code or any(one.source is MappingSource.TRACE for one in rule.mapping)
    return (*_PAYLOAD, TREE) if is_whole and rule.target is RuleTarget.TRACE else _PAYLOAD


def _scores(rule: RuleSpec, judge: Judge | None, process: CodeProcess | None) -> Scores:
    turn = asyncio.Lock()

    async def coded(row: TargetRow) -> Sequence[GivenScore]:
        assert process is not None
        async with turn:
            return await coded_scores(process, row.code_context)

    async def judged(row: TargetRow) -> Sequence[GivenScore]:
        assert judge is not None
        return await judged_scores(judge, rule.definition, rule.mapping, target=row.columns)

    return coded if rule.definition.type is EvaluatorType.CODE else judged


def _verdict(scores: Sequence[GivenScore]) -> Verdict:
    if not scores:
        raise EvaluationSkipped("it gave no score")
    first, *further = (
        Verdict(one.value, one.comment, dict(one.metadata), name=one.name, data_type=one.data_type) for one in scores
    )
    return replace(first, further=tuple(further))
