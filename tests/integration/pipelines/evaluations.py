"""An evaluation run without Ray: its parts by a few workers at once, on a lane, the stores and a provider."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from actors.lane import AppendStatus, Lane
from heliograph.domain.access import Project
from heliograph.domain.evaluation_runs import (
    EvaluationRun,
    EvaluatorSpec,
    JudgeSpec,
    NewRun,
    Place,
    RunProgress,
    RunState,
)
from heliograph.domain.events import MappedBatch
from heliograph.domain.llm_connections import Adapter, NewLlmConnection
from heliograph.domain.selections import Selection
from ingestion.pricing import managed_prices
from pipelines.evaluation_part import WorkerStores, carry_out
from pipelines.evaluation_plan import PlanStores, plan
from pipelines.target_trees import TargetTrees
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.selections import Selections
from storage.clickhouse.streams import ArrowStreams
from storage.clickhouse.traces import Traces
from storage.postgres.evaluation_parts import EvaluationParts
from storage.postgres.evaluation_runs import EvaluationRuns
from storage.postgres.llm_connections import LlmConnections
from storage.seal import Seal
from tests.evaluation_workers import Limiters, reaching_loopback, worker_stores
from tests.integration.actors.lane_bench import Bench, append, flushed
from tests.provider import Provider
from tests.unit.ingestion import spans

RELEVANCE = EvaluatorSpec(name="relevance", judge=JudgeSpec(provider="local", model="gpt-4o-mini"))
VALID = EvaluatorSpec(name="json_valid")


@dataclass
class OneLane:
    """Appends to one lane until it is durable."""

    lane: Lane

    async def append(self, batch: MappedBatch) -> None:
        for _ in range(400):
            if await append(self.lane, batch) is AppendStatus.DURABLE:
                return
            await asyncio.sleep(0.02)
        raise TimeoutError


@dataclass
class EvaluationBench:
    """A project with observations, and workers that evaluate them."""

    bench: Bench
    lane: Lane
    project: Project
    stores: WorkerStores
    limiters: Limiters = field(default_factory=dict)
    min_partition_rows: int = 20

    @property
    def runs(self) -> EvaluationRuns:
        return EvaluationRuns(self.bench.database, self.project.id)

    async def observe(self, count: int, *, environment: str = "default") -> None:
        """So many generations, each a trace of its own."""
        found = [
            spans.span(
                {"langfuse.observation.input": f"question {n}", "langfuse.observation.output": f"answer {n}",
                 "langfuse.environment": environment, "langfuse.observation.type": "generation"},
                trace_id=(n + 1).to_bytes(8, "big") + environment.encode()[:8].rjust(8),
                span_id=(n + 1).to_bytes(8, "big"), start_time_unix_nano=spans.START + n * 1_000_000_000,
                end_time_unix_nano=spans.START + n * 1_000_000_000 + 5,
            )
            for n in range(count)
        ]  # fmt: skip
        context = replace(spans.CONTEXT, project_id=self.project.id)
        await self.stores.lanes.append(spans.mapped(*found, context=context).batch)
        await flushed(self.lane)

    async def connect(self, provider: Provider) -> None:
        """Have the project call this provider."""
        seal = Seal(self.stores.settings.encryption_key)
        connections = LlmConnections(self.bench.database, self.project.id, seal)
        await connections.put(NewLlmConnection("local", Adapter.OPENAI, "sk-local-123456", provider.url))

    async def begin(self, *evaluators: EvaluatorSpec, **asked: Any) -> EvaluationRun:
        """A run that is planned and started."""
        selections = Selections(
            self.stores.clickhouse, ArrowStreams(self.stores.clickhouse), self.project.id,
            min_partition_rows=self.min_partition_rows,
        )  # fmt: skip
        new = NewRun(selection=Selection(since=None), evaluators=evaluators, **asked)
        return await self.start(await self.planned(new, selections))

    async def planned(self, new: NewRun, selections: Selections) -> EvaluationRun:
        """A run that is planned."""
        planned = await plan(new, self.plan_stores(selections), managed_prices(), adapters={"local": Adapter.OPENAI})
        return await self.runs.plan(planned.asked, planned.estimate, planned.partitions.periods)

    def plan_stores(self, selections: Selections) -> PlanStores:
        """What plans look at."""
        clickhouse, project_id = self.stores.clickhouse, self.project.id
        return PlanStores(selections, Traces(clickhouse, project_id), TargetTrees(clickhouse, project_id))

    async def start(self, run: EvaluationRun) -> EvaluationRun:
        """Begin it, or go on."""
        return await self.runs.turn(run.id, RunState.RUNNING)

    async def work(self, run: EvaluationRun, *, workers: int = 2) -> RunProgress:
        """Carry out every part that can be claimed, by several workers; the progress after it."""

        async def worker() -> None:
            ledger = EvaluationParts(self.bench.database)
            while parts := await ledger.claimable(run.id, Place.SERVER):
                for part in parts:
                    await carry_out(run, part, self.stores)
                if (await self.runs.get(run.id)).state != "running":
                    return

        await asyncio.gather(*(worker() for _ in range(workers)))
        await flushed(self.lane)
        return (await self.runs.progress([run.id]))[run.id]

    def scores(self) -> list[dict[str, Any]]:
        """All scores of the project."""
        query = "SELECT * FROM scores FINAL WHERE project_id = {p:String}"
        table = self.bench.clickhouse.get().query_arrow(query, parameters={"p": self.project.id})
        return list(table.to_pylist(maps_as_pydicts="lossy"))

    def observations(self, environment: str) -> list[dict[str, Any]]:
        """The observations of an environment."""
        query = "SELECT * FROM observations FINAL WHERE project_id = {p:String} AND environment = {e:String}"
        bound = {"p": self.project.id, "e": environment}
        return list(self.bench.clickhouse.get().query_arrow(query, parameters=bound).to_pylist(maps_as_pydicts="lossy"))


@asynccontextmanager
async def evaluating(bench: Bench, lane: Lane, project: Project) -> AsyncIterator[EvaluationBench]:
    """A bench whose workers share one limiter and one gate of budgets."""
    settings = reaching_loopback(bench.settings)
    clickhouse = ClickHouse(settings.clickhouse, settings.clickhouse_url)
    limiters: Limiters = {}
    stores = worker_stores(settings, clickhouse, bench.database, lanes=OneLane(lane), limiters=limiters)
    yield EvaluationBench(bench, lane, project, stores, limiters)
    await clickhouse.close()


def question(request: dict[str, Any]) -> str:
    """What a judge was asked about."""
    text = json.dumps(request["messages"])
    return text[text.find("question ") :].split("\\n")[0]
