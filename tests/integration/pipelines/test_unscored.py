"""Figures of scores say how many evaluations gave none: failed or skipped, in runs and under rules."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from heliograph.domain.evaluation_runs import EvaluatorSpec, SourceSpec
from heliograph.domain.score_analytics import DistributionQuestion, TrendQuestion
from heliograph.domain.statistics import Counts
from pipelines.score_analytics import ScoreAnalytics
from storage.postgres.projects import Projects
from tests.integration.actors.lane_bench import Bench, running
from tests.integration.pipelines.evaluations import RELEVANCE, evaluating, question
from tests.integration.pipelines.rules import FAILING, RuleBench, owning
from tests.provider import VERDICT, Provider, Reply, completion, error, serving


@pytest.fixture
async def rules(bench: Bench) -> AsyncIterator[RuleBench]:
    project = await Projects(bench.database).create(f"project {bench.project_id}", organization_name="The organization")
    own = replace(bench, project_id=project.id)
    async with running(own.lane()) as lane, evaluating(own, lane, project) as evaluations, owning(evaluations) as made:
        yield made


def reply(request: dict[str, Any]) -> Reply:
    return error(400, "no") if "question 3" in question(request) else completion(VERDICT)


async def test_what_failed_and_was_skipped_is_counted_beside_what_was_scored(rules: RuleBench) -> None:
    evaluations = rules.evaluations
    analytics = ScoreAnalytics(evaluations.stores.clickhouse, evaluations.bench.database, rules.project_id)
    await evaluations.observe(8)
    nothing = SourceSpec(column="metadata", json_path="$.nothing")
    absent = EvaluatorSpec(name="json_valid", score="recall", sources={"output": nothing})
    with serving(Provider(reply=reply)) as provider:
        await evaluations.connect(provider)
        await evaluations.work(await evaluations.begin(RELEVANCE, absent, budget_usd=1.0))
    found = await analytics.distribution(DistributionQuestion(name="relevance"))
    (version,) = found.versions
    assert (version.mean.counts, found.failed, found.skipped) == (Counts(7, failed=1), 1, 0)
    (point,) = (await analytics.trend(TrendQuestion(names=("relevance", "recall")))).points
    assert point.mean.counts == Counts(7, failed=1)
    recall = await analytics.distribution(DistributionQuestion(name="recall"))
    assert (recall.versions, recall.failed, recall.skipped) == ((), 0, 8)


async def test_executions_of_rules_that_failed_are_counted(rules: RuleBench) -> None:
    evaluations = rules.evaluations
    rule = await rules.rule(FAILING)
    await rules.observe(1, 2, 3)
    await rules.follow()
    await rules.work()
    analytics = ScoreAnalytics(evaluations.stores.clickhouse, evaluations.bench.database, rules.project_id)
    found = await analytics.distribution(DistributionQuestion(name=rule.assignments[0].name))
    assert (found.failed, found.skipped) == (3, 0)
