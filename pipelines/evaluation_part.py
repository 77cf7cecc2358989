"""One part of an evaluation run on the cluster: claimed, carried out on the stores, and noted. Without Ray."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from actors.directory import lane_client
from actors.intake import Appends, project_rules
from actors.judging import RayBudgets, RayLimiter
from actors.leased_slots import Limiter
from actors.purse import Gate
from evals.judging.cache import AnswerCache, MemoryCache
from heliograph import telemetry
from heliograph.domain.errors import HeliographError, Unavailable
from heliograph.domain.evaluation_runs import EvaluationPart, EvaluationRun, Place
from heliograph.domain.identifiers import ProjectId
from heliograph.evaluation_part import PartEvaluation, PartWork
from heliograph.evaluation_targets import columns_of
from heliograph.outbound import Outbound
from heliograph.settings import Settings
from ingestion.project_mapping import ProjectMapping
from pipelines.evaluation_judges import BLOCKS, JudgeStores, RunJudges
from pipelines.evaluation_stores import LaneScores, StoredTargets
from pipelines.judge_traces import JudgeTraces
from pipelines.target_trees import TargetTrees
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.exposed import EXPOSED
from storage.clickhouse.run_scores import RunScores
from storage.clickhouse.selections import Selections
from storage.clickhouse.streams import ArrowStreams
from storage.clickhouse.traces import Traces
from storage.postgres.connection import Database
from storage.postgres.evaluation_parts import EvaluationParts
from storage.postgres.llm_connections import LlmConnections
from storage.postgres.projects import Projects
from storage.seal import Seal

_log = telemetry.logger("evaluation")
# Answers of this process, whichever part and run asked.
_CACHE = MemoryCache(20_000)
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
    cache: AnswerCache = field(default_factory=lambda: _CACHE)

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
            self.cache,
        )


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
    async with RunJudges(stores.judges(run, mapping), part, traces, trees=trees) as judges:
        evaluators = await judges.evaluators(run.evaluators_at(Place.SERVER))
        asked = run.asked
        selections = Selections(stores.clickhouse, ArrowStreams(stores.clickhouse), run.project_id)
        scores = RunScores(stores.clickhouse, run.project_id)
        columns = columns_of(asked.table, evaluators, EXPOSED[asked.table].columns)
        rows = Traces(stores.clickhouse, run.project_id)
        targets = StoredTargets(asked, columns, selections=selections, scores=scores, traces=rows)
        work = PartWork(
            asked.table,
            asked.on_existing,
            targets,
            LaneScores(stores.lanes, mapping),
            ledger,
            ask=judges.ask,
            blocks=BLOCKS,
        )
        is_done = await PartEvaluation(part, evaluators, work).run()
        await traces.flush(at_least=1)
    return is_done


async def project_mapping(project_id: ProjectId, settings: Settings, database: Database) -> ProjectMapping:
    """How what is written for a project is mapped now; raises Unavailable."""
    project = await Projects(database).get(project_id)
    return await project_rules(settings, database).mapping(project, _SDK_NAME)
