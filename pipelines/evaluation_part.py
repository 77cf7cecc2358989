"""One part of an evaluation run on the cluster: claimed, carried out on the stores, and noted. Without Ray."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from actors.directory import lane_client
from actors.intake import Appends, project_rules
from actors.judging import RayBudgets, RayLimiter
from actors.leased_slots import Limiter
from actors.purse import Gate
from evals.errors import AnswerPending, CallFailed
from evals.judging.cache import AnswerCache
from heliograph import telemetry
from heliograph.domain.errors import HeliographError, Unavailable
from heliograph.domain.evaluation_runs import EvaluationPart, EvaluationRun, OnExisting, Place, RunMode
from heliograph.domain.identifiers import ProjectId
from heliograph.evaluation_part import PartEvaluation, PartWork
from heliograph.evaluation_targets import columns_of
from heliograph.outbound import Outbound
from heliograph.settings import Settings
from ingestion.project_mapping import ProjectMapping
from pipelines.evaluation_judges import BLOCKS, RunJudges
from pipelines.evaluation_stores import LaneScores, StoredTargets
from pipelines.judge_batches import PartBatches
from pipelines.judge_stores import JudgeStores
from pipelines.judge_traces import JudgeTraces
from pipelines.target_trees import TargetTrees
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.exposed import EXPOSED
from storage.clickhouse.run_scores import RunScores
from storage.clickhouse.selections import Selections
from storage.clickhouse.streams import ArrowStreams
from storage.clickhouse.traces import Traces
from storage.postgres.connection import Database
from storage.postgres.embeddings import Embeddings
from storage.postgres.evaluation_parts import EvaluationParts
from storage.postgres.judge_answers import JudgeAnswers
from storage.postgres.judge_batches import JudgeBatches
from storage.postgres.llm_connections import LlmConnections
from storage.postgres.projects import Projects
from storage.postgres.rule_claims import RuleClaims
from storage.seal import Seal

_log = telemetry.logger("evaluation")
CANNOT_RUN = "CANNOT_RUN"
_SDK_NAME = "heliograph-evaluation"


@dataclass
class WorkerStores:
    """What a worker carries parts out with."""

    settings: Settings
    clickhouse: ClickHouse
    database: Database
    lanes: Appends
    limiter: Callable[[str, str], Limiter] = RayLimiter
    gate: Gate | None = None
    cache: AnswerCache | None = None

    def judges(self, run: EvaluationRun, mapping: ProjectMapping) -> JudgeStores:
        """Those of a run."""
        settings = self.settings
        seal = Seal(settings.encryption_key, settings.former_encryption_keys)
        return JudgeStores(
            LlmConnections(self.database, run.project_id, seal),
            Outbound(settings.outbound.allowed_networks),
            mapping.prices,
            self.limiter,
            self.gate or RayBudgets(settings),
            self.cache or JudgeAnswers(self.database, run.project_id, self._known_since(run)),
            Embeddings(self.database, run.project_id, self._kept_since),
        )

    @property
    def batch_rest(self) -> timedelta:
        """After which a provider is asked again how far a batch is."""
        return timedelta(seconds=self.settings.evaluation.batch_poll_seconds)

    def _known_since(self, run: EvaluationRun) -> datetime:
        """Since when answers count; a run that replaces asks anew, but nothing twice."""
        if run.asked.on_existing is OnExisting.REPLACE:
            return run.created_at
        return self._kept_since

    @property
    def _kept_since(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=self.settings.evaluation.answers_kept_days)


@asynccontextmanager
async def worker_stores(settings: Settings) -> AsyncIterator[WorkerStores]:
    """The stores of this process, for one loop."""
    database = Database(settings.postgres_dsn)
    clickhouse = ClickHouse(settings.clickhouse, settings.clickhouse_url)
    try:
        yield WorkerStores(settings, clickhouse, database, await lane_client(settings))
    finally:
        await clickhouse.close()
        await database.close()


async def carry_out(run: EvaluationRun, number: int, stores: WorkerStores) -> bool:
    """Claim a part and carry it out; returns whether it is done. It may be killed anywhere, and repeated.

    What no part of the run escapes blocks it, with the cause.
    """
    ledger = EvaluationParts(stores.database)
    part = await ledger.claim(run.id, Place.SERVER, number)
    if part is None:
        return False
    try:
        return await _evaluate(run, part, stores=stores, ledger=ledger)
    except Unavailable as error:
        # A store is away: the part was given back, and is claimed again.
        _log.warning("evaluation_part_postponed", run=run.id, part=number, reason=str(error))
    except HeliographError as error:
        if isinstance(error, CallFailed) and error.is_passing:
            # Of a batch: its provider may take it, or tell of it, later.
            _log.warning("evaluation_batch_postponed", run=run.id, part=number, reason=str(error))
            await ledger.give_back(part, stores.batch_rest)
            return False
        _log.warning("evaluation_run_blocked", run=run.id, part=number, reason=str(error))
        await ledger.give_back(part)
        await ledger.block(run.id, BLOCKS.get(type(error).__name__, CANNOT_RUN), str(error))
    return False


async def _evaluate(
    run: EvaluationRun, part: EvaluationPart, *, stores: WorkerStores, ledger: EvaluationParts
) -> bool:  # fmt: skip
    mapping = await project_mapping(run.project_id, stores.settings, stores.database)
    traces = JudgeTraces(stores.lanes, mapping, run.id)
    trees = TargetTrees(stores.clickhouse, run.project_id)
    judge_stores = stores.judges(run, mapping)
    asked_of = JudgeBatches(stores.database, run.id) if run.asked.mode is RunMode.BATCH else None
    batches = PartBatches(asked_of, judge_stores, run_id=run.id, part=part.part) if asked_of else None
    if batches is not None and not await batches.collect():
        await ledger.give_back(part, stores.batch_rest)
        return False
    async with RunJudges(judge_stores, part, traces, trees=trees, batches=asked_of) as judges:

        async def postpone() -> None:
            assert batches is not None
            try:
                await batches.submit(judges.batched)
            except CallFailed as error:
                if error.is_passing:
                    # Before whoever evaluates gives it back for a moment only.
                    await ledger.give_back(part, stores.batch_rest)
                raise
            await ledger.give_back(part, stores.batch_rest)

        evaluators = await judges.evaluators(run.evaluators_at(Place.SERVER))
        asked = run.asked
        selections = Selections(stores.clickhouse, ArrowStreams(stores.clickhouse), run.project_id)
        scores = RunScores(stores.clickhouse, run.project_id)
        columns = columns_of(asked.table, evaluators, EXPOSED[asked.table].columns)
        rows = Traces(stores.clickhouse, run.project_id)
        claims = RuleClaims(stores.database)
        targets = StoredTargets(
            asked, columns, selections=selections, scores=scores, traces=rows, claims=claims
        )  # fmt: skip
        work = PartWork(
            asked.table,
            asked.on_existing,
            targets,
            LaneScores(stores.lanes, mapping),
            ledger,
            ask=judges.ask,
            blocks=BLOCKS,
            awaited=AnswerPending.__name__,
            postpone=postpone,
        )
        is_done = await PartEvaluation(part, evaluators, work).run()
        await traces.flush(at_least=1)
    return is_done


async def project_mapping(project_id: ProjectId, settings: Settings, database: Database) -> ProjectMapping:
    """How what is written for a project is mapped now; raises Unavailable."""
    project = await Projects(database).get(project_id)
    return await project_rules(settings, database).mapping(project, _SDK_NAME)
