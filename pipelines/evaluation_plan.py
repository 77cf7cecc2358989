"""What a run would do, before anything is done: its rows and parts, and what its judges would cost."""

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from evals.assembly import described_judge, embedder_identity
from evals.errors import JudgeUnbounded
from evals.judging.paid import Tariff
from evals.providers.batches import ADAPTERS, PRICE_SHARE
from heliograph.domain.errors import EvaluationSkipped, InvalidRequest
from heliograph.domain.evaluation_runs import Estimate, EvaluatorSpec, NewRun, Place, RunMode, judged
from heliograph.domain.evaluators import Answer, Embedder, Judge, Message, Prompt
from heliograph.domain.llm_connections import Adapter
from heliograph.domain.plain_rows import plain_rows
from heliograph.evaluation_targets import columns_of
from heliograph.run_evaluator import RunEvaluator
from ingestion.pricing import PriceBook
from pipelines.evaluation_stores import target_rows
from pipelines.judge_stores import embedding_tariff_of, tariff_of
from pipelines.run_evaluators import run_evaluator
from pipelines.target_trees import TargetTrees
from storage.clickhouse.exposed import EXPOSED
from storage.clickhouse.selections import Partitions, Selections
from storage.clickhouse.traces import Traces

_SAMPLED_ROWS = 50
_MAX_PARTS = 256
# Four characters a token, as English has it; an upper bound is every byte one.
_CHARACTERS_PER_TOKEN = 4
# A reason of two sentences and a score.
_USUAL_ANSWER_TOKENS = 60
# Of one stack on two cores, roughly: no provider's limit is known before.
_JUDGE_CALLS_PER_MINUTE = 6_000
_EVALUATIONS_PER_MINUTE = 300_000


@dataclass(frozen=True)
class Planned:
    """A run as it is to be kept: what is asked for with its time closed, its parts, and what it would take."""

    asked: NewRun
    partitions: Partitions
    estimate: Estimate


@dataclass(frozen=True)
class Readied:
    """A run whose evaluators are made, what they read, and what their judges cost, by the names of scores."""

    asked: NewRun
    evaluators: Sequence[RunEvaluator]
    columns: Sequence[str]
    tariffs: Mapping[str, Tariff]


@dataclass(frozen=True)
class PlanStores:
    """What of a project a plan looks at."""

    selections: Selections
    traces: Traces
    trees: TargetTrees


class _Asked(Exception):  # caught where a judge would have been asked
    """A judge was asked this."""

    def __init__(self, prompt: Prompt, schema: Mapping[str, Any]) -> None:
        super().__init__()
        self.prompt, self.schema = prompt, schema


class _Listener:
    """A judge, or an embedder, that says what it is asked, and costs nothing."""

    def __init__(self, identity: str) -> None:
        self.identity = identity

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        """Raise what was asked."""
        raise _Asked(prompt, schema)

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Raise what was asked."""
        raise _Asked([Message("user", text) for text in texts], {})


async def plan(
    asked: NewRun, stores: PlanStores, prices: PriceBook, *, adapters: Mapping[str, Adapter]
) -> Planned:  # fmt: skip
    """What the run would do.

    Args:
        asked: the run.
        stores: of its project.
        prices: of its project.
        adapters: by provider, those of the project's connections.

    Raises:
        InvalidRequest: something in it cannot be done; the field says what.
    """
    ready = readied(asked, stores, prices, adapters=adapters)
    asked = ready.asked
    partitions = await stores.selections.partitions(asked.table, asked.selection, _MAX_PARTS)
    rows = await _sample(asked, ready.columns, stores)
    judges = [one for one in ready.evaluators if one.spec.judge or one.spec.embedder]
    prompts = {one.spec.score_name: await _prompts(one, rows, stores.trees) for one in judges}
    estimate = _estimate(asked, partitions.rows, rows.num_rows, prompts=prompts, tariffs=ready.tariffs)
    return Planned(asked, partitions, estimate)


def readied(
    asked: NewRun, stores: PlanStores, prices: PriceBook, *, adapters: Mapping[str, Adapter]
) -> Readied:  # fmt: skip
    """The run with all that is known of it before anything is read; see `plan`, which raises the same."""
    # Rows that begin later are not part of it: it would never end, and judge what its own judges are traced as.
    until = asked.selection.until or datetime.now(UTC)
    asked = asked.model_copy(update={"selection": judged(asked.selection.model_copy(update={"until": until}))})
    specs = [spec for spec in asked.evaluators if spec.place is Place.SERVER]
    _check_names(asked)
    _check_mode(asked.mode, specs, adapters)
    evaluators = [
        run_evaluator(spec, _judge(spec, adapters), embedder=_embedder(spec, adapters)) for spec in specs
    ]  # fmt: skip
    # What fails has no score that would tell the version.
    versions = {one.spec.score_name: one.evaluator.version for one in evaluators}
    told = [
        spec.model_copy(update={"version": versions.get(spec.score_name, spec.version)}) for spec in asked.evaluators
    ]
    asked = asked.model_copy(update={"evaluators": tuple(told)})
    columns = columns_of(asked.table, evaluators, EXPOSED[asked.table].columns)
    share = PRICE_SHARE if asked.mode is RunMode.BATCH else 1.0
    asking = [spec for spec in specs if spec.judge or spec.embedder]
    tariffs = {spec.score_name: _tariff(spec, prices).at(share if spec.judge else 1.0) for spec in asking}
    if tariffs and asked.budget_usd is None:
        raise InvalidRequest("budget_usd", "is needed where judges are asked: say what they may cost at most")
    stores.selections.check(asked.table, asked.selection.model_copy(update={"select": columns}))
    return Readied(asked, evaluators, columns, tariffs)


async def _sample(asked: NewRun, columns: Sequence[str], stores: PlanStores) -> pa.Table:
    some = asked.selection.model_copy(update={"limit": _SAMPLED_ROWS})
    tables = target_rows(asked.table, some, columns, selections=stores.selections, traces=stores.traces)
    found = [table async for table in tables]
    return pa.concat_tables(found) if found else pa.table({})


def _check_names(asked: NewRun) -> None:
    names = [spec.score_name for spec in asked.evaluators]
    if len(set(names)) < len(names):
        raise InvalidRequest("evaluators", "two give scores of the same name: name one of them otherwise")


def _check_mode(mode: RunMode, specs: Sequence[EvaluatorSpec], adapters: Mapping[str, Adapter]) -> None:
    """Raise InvalidRequest where judges are to be asked by batches, and a provider has none."""
    if mode is RunMode.LIVE:
        return
    providers = {spec.judge.provider for spec in specs if spec.judge}
    if not providers:
        raise InvalidRequest("mode", "batch is for judges: no evaluator on the server asks one")
    if without := sorted(name for name in providers if name in adapters and adapters[name] not in ADAPTERS):
        raise InvalidRequest("mode", f"{', '.join(without)} has no Batch API of OpenAI's kind: ask it live")


def _judge(spec: EvaluatorSpec, adapters: Mapping[str, Adapter]) -> Judge | None:
    if spec.judge is None:
        return None
    return _Listener(described_judge(spec.judge, _adapter(spec.judge.provider, adapters)).identity)


def _embedder(spec: EvaluatorSpec, adapters: Mapping[str, Adapter]) -> Embedder | None:
    if spec.embedder is None:
        return None
    return _Listener(embedder_identity(spec.embedder, _adapter(spec.embedder.provider, adapters)))


def _adapter(provider: str, adapters: Mapping[str, Adapter]) -> Adapter:
    adapter = adapters.get(provider)
    if adapter is None:
        known = ", ".join(sorted(adapters)) or "none"
        raise InvalidRequest("evaluators", f"there is no connection {provider!r}; there are: {known}")
    return adapter


def _tariff(spec: EvaluatorSpec, prices: PriceBook) -> Tariff:
    found = tariff_of(prices, spec.judge) if spec.judge else None
    if spec.embedder:
        found = embedding_tariff_of(prices, spec.embedder)
    if found is None:
        model = spec.judge or spec.embedder
        raise InvalidRequest("evaluators", str(JudgeUnbounded(model.model if model else spec.name)))
    return found


async def _prompts(one: RunEvaluator, rows: pa.Table, trees: TargetTrees) -> list[_Asked]:
    """What its judge would be asked of these rows; rows that it skips give nothing."""
    if not rows.num_rows:
        return []
    asked = []
    for row in await asyncio.gather(*(trees.completed(row, one.columns) for row in plain_rows(one.targets(rows)))):
        given = {
            name: one.evaluator.source_of(name).read(row) for name in (*one.evaluator.inputs, *one.evaluator.optional)
        }
        try:
            await one.evaluator(**given)
        except _Asked as found:
            asked.append(found)
        except EvaluationSkipped:
            continue
    return asked


def _estimate(
    asked: NewRun,
    rows: int,
    sampled: int,
    *,
    prompts: Mapping[str, list[_Asked]],
    tariffs: Mapping[str, Tariff],
) -> Estimate:
    calls = tokens = 0
    low = high = 0.0
    for name, found in prompts.items():
        own = round(rows * len(found) / sampled) if sampled else 0
        if not own:
            continue
        tariff = tariffs[name]
        size = statistics.mean(sum(len(each.content) for each in one.prompt) for one in found) / _CHARACTERS_PER_TOKEN
        calls += own
        tokens += round(own * size)
        low += own * tariff.units(round(size), _USUAL_ANSWER_TOKENS) / 10**12
        high += own * statistics.mean(tariff.bound(one.prompt, one.schema) for one in found) / 10**12
    evaluations = rows * len(asked.evaluators)
    minutes = calls / _JUDGE_CALLS_PER_MINUTE + (evaluations - calls) / _EVALUATIONS_PER_MINUTE
    return Estimate(
        rows=rows,
        evaluations=evaluations,
        judge_calls=calls,
        input_tokens=tokens,
        output_tokens=calls * _USUAL_ANSWER_TOKENS,
        usd_low=low,
        usd_high=high,
        minutes=max(0.1, minutes) if rows else 0.0,
    )
