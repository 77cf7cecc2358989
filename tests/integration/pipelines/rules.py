"""Online evaluation without Ray: rules followed and jobs carried out, on a lane, the stores and a provider."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from actors.rate_limiter import RateLimiter
from heliograph.domain.evaluation_jobs import Execution
from heliograph.domain.evaluation_rules import (
    Assignment,
    EvaluationRule,
    MappingSource,
    NewRule,
    RuleTarget,
    VariableMapping,
)
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.project_evaluators import (
    CategoricalOutput,
    CategoricalScore,
    Definition,
    Described,
    EvaluatorType,
    ModelChoice,
    NumericOutput,
    NumericScore,
    ProjectEvaluator,
)
from heliograph.outbound import Outbound
from pipelines.evaluation_part import project_mapping
from pipelines.rule_jobs import LEASE, RuleJobs
from pipelines.rule_judges import RuleJudges
from pipelines.rule_matching import RuleMatching
from storage.postgres.evaluation_jobs import RuleExecutions
from storage.postgres.evaluation_rules import EvaluationRules
from storage.postgres.evaluators import Evaluators
from storage.postgres.llm_connections import LlmConnections
from storage.postgres.rule_cursors import RuleCursors
from storage.seal import Seal
from tests.integration.actors.lane_bench import flushed
from tests.integration.pipelines.evaluations import EvaluationBench
from tests.unit.ingestion import spans

JUDGE = Definition(
    type=EvaluatorType.LLM_AS_JUDGE,
    prompt="Is {{answer}} right?",
    output=NumericOutput(
        data_type="NUMERIC",
        reasoning=Described(description="why"),
        score=NumericScore(description="from 0 to 5", min_value=0, max_value=5),
    ),
    model=ModelChoice(provider="local", model="gpt-4o-mini"),
)
CODE = Definition(
    type=EvaluatorType.CODE, source_code="def evaluate(ctx):\n    return ctx.observation.output.startswith('answer')\n"
)
STEPS = Definition(type=EvaluatorType.CODE, source_code="def evaluate(ctx):\n    return len(ctx.trace)\n")
TURNS = Definition(type=EvaluatorType.CODE, source_code="def evaluate(ctx):\n    return len(ctx.session)\n")
FAILING = Definition(type=EvaluatorType.CODE, source_code="def evaluate(ctx):\n    return 1 / 0\n")
LABELS = Definition(
    type=EvaluatorType.LLM_AS_JUDGE,
    prompt="What holds of {{answer}}?",
    output=CategoricalOutput(
        data_type="CATEGORICAL",
        reasoning=Described(description="why"),
        score=CategoricalScore(
            description="labels", categories=("short", "polite", "wrong"), should_allow_multiple_matches=True
        ),
    ),
    model=ModelChoice(provider="local", model="gpt-4o-mini"),
)
AT_ONCE = timedelta(0)
OUTPUT = (VariableMapping("answer", MappingSource.OUTPUT),)


@dataclass
class RuleBench:
    """A project whose lane is followed."""

    evaluations: EvaluationBench

    @property
    def project_id(self) -> ProjectId:
        return self.evaluations.project.id

    @property
    def rules(self) -> EvaluationRules:
        return EvaluationRules(self.evaluations.bench.database, self.project_id)

    @property
    def matching(self) -> RuleMatching:
        return RuleMatching(self.evaluations.bench.database, self.evaluations.stores.clickhouse)

    def jobs(self, lease: timedelta = LEASE) -> RuleJobs:
        """A worker."""
        return RuleJobs(self.evaluations.bench.database, self.evaluations.stores.clickhouse, self._judges, lease=lease)

    async def rule(
        self, definition: Definition, target: RuleTarget = RuleTarget.OBSERVATION, **values: Any
    ) -> EvaluationRule:
        """An enabled rule with an evaluator of its own."""
        name = f"{definition.type}-{target}-{len(values)}"
        evaluator: ProjectEvaluator = await Evaluators(self.evaluations.bench.database, self.project_id).save(
            name, definition
        )
        mapping = OUTPUT if definition.type is EvaluatorType.LLM_AS_JUDGE else ()
        assignment = Assignment(evaluator.id, evaluator.name, definition.type, mapping)
        return await self.rules.create(
            NewRule(name=name, target=target, is_enabled=True, assignments=(assignment,), **values)
        )

    async def observe(
        self, *numbers: int, trace: int | None = None, session: str = "", kind: str = "generation"
    ) -> None:
        """Generations that arrive now, each a trace of its own unless they have one together."""
        found = [
            spans.span(
                {"langfuse.observation.output": f"answer {number}", "langfuse.observation.type": kind,
                 **({"langfuse.session.id": session} if session else {})},
                trace_id=(trace or number).to_bytes(16, "big"), span_id=number.to_bytes(8, "big"),
                start_time_unix_nano=spans.START, end_time_unix_nano=spans.START + 5,
            )
            for number in numbers
        ]  # fmt: skip
        context = replace(spans.CONTEXT, project_id=self.project_id, received_at=datetime.now(UTC))
        await self.evaluations.stores.lanes.append(spans.mapped(*found, context=context).batch)
        await flushed(self.evaluations.lane)

    async def follow(self) -> int:
        """Look at all that is stored by now; how many jobs came of it."""
        cursors, lane = RuleCursors(self.evaluations.bench.database), self.evaluations.bench.number
        segment = (await self.evaluations.lane.status())["cursor_segment"]
        for _ in range(600):
            if (await cursors.stored()).get(lane, 0) >= segment:
                break
            await asyncio.sleep(0.05)
        return await self.matching.advance()

    async def work(self) -> None:
        """Carry out what is due, then have the scores stored."""
        jobs = self.jobs()
        while await jobs.advance():
            pass
        await flushed(self.evaluations.lane)

    async def executions(self, rule: EvaluationRule) -> list[Execution]:
        """The jobs of a rule."""
        database = self.evaluations.bench.database
        return (await RuleExecutions(database, self.project_id, rule.id).page(Page(1, 100)))[0]

    @asynccontextmanager
    async def _judges(self, project_id: ProjectId) -> AsyncIterator[RuleJudges]:
        stores = self.evaluations.stores
        mapping = await project_mapping(project_id, stores.settings, stores.database)
        connections = LlmConnections(stores.database, project_id, Seal(stores.settings.encryption_key))
        outbound = Outbound(stores.settings.outbound.allowed_networks)
        async with RuleJudges(
            connections, outbound, lambda provider, _: RateLimiter(provider), lanes=stores.lanes, mapping=mapping
        ) as judges:
            yield judges


@asynccontextmanager
async def owning(evaluations: EvaluationBench) -> AsyncIterator[RuleBench]:
    """The bench's lane owns the project under the map in force."""
    publish = text(
        "INSERT INTO lane_map (version, count, dedicated) SELECT max(version) + 1, max(count), "
        "jsonb_build_object(CAST(:project AS text), jsonb_build_array(CAST(:lane AS int))) FROM lane_map"
    )
    withdraw = text("DELETE FROM lane_map WHERE dedicated ? :project")
    bench = evaluations.bench
    async with bench.database.transaction() as session:
        await session.execute(publish, {"project": evaluations.project.id, "lane": bench.number})
    yield RuleBench(evaluations)
    async with bench.database.transaction() as session:
        await session.execute(withdraw, {"project": evaluations.project.id})
