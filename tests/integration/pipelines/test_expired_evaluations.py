"""What evaluations remember: for as long as it is kept, and no longer."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from heliograph.domain.evaluation_runs import OnExisting
from pipelines.expired_evaluations import remove_expired_evaluations
from storage.postgres.projects import Projects
from tests.integration.actors.lane_bench import Bench, running
from tests.integration.pipelines.evaluations import RELEVANCE, EvaluationBench, evaluating
from tests.integration.pipelines.rules import CODE, RuleBench, owning
from tests.provider import VERDICT, Provider, completion, serving


@pytest.fixture
async def rules(bench: Bench) -> AsyncIterator[RuleBench]:
    project = await Projects(bench.database).create(f"project {bench.project_id}", organization_name="The organization")
    own = replace(bench, project_id=project.id)
    async with running(own.lane()) as lane, evaluating(own, lane, project) as evaluations, owning(evaluations) as made:
        evaluations.stores.cache = None
        yield made


async def aged(rules: RuleBench, table: str, time: str) -> None:
    """As if it had happened 31 days earlier."""
    older = f"UPDATE {table} SET {time} = {time} - INTERVAL '31 days' WHERE project_id = :project"  # noqa: S608 - ours
    async with rules.evaluations.bench.database.transaction() as session:
        await session.execute(text(older), {"project": rules.project_id})


async def test_a_judge_is_not_paid_again_for_the_same_question_until_its_answer_is_too_old(rules: RuleBench) -> None:
    evaluations: EvaluationBench = rules.evaluations
    await evaluations.observe(10)
    # NUL, which models do say now and then, is nothing that PostgreSQL keeps.
    with serving(Provider(reply=lambda _: completion(f"{VERDICT}\0"))) as provider:
        await evaluations.connect(provider)
        await evaluations.work(await evaluations.begin(RELEVANCE, budget_usd=1.0))
        again = RELEVANCE.model_copy(update={"score": "again"})
        progress = await evaluations.work(await evaluations.begin(again, budget_usd=1.0))
        assert (progress.report.counts["again"]["scored"], progress.spent_usd) == (10, 0)
        assert provider.statuses == {200: 10}
        anew = await evaluations.begin(again, budget_usd=1.0, on_existing=OnExisting.REPLACE)
        assert (await evaluations.work(anew)).spent_usd > 0
        assert provider.statuses == {200: 20}
        await aged(rules, "judge_answers", "created_at")
        third = RELEVANCE.model_copy(update={"score": "third"})
        await evaluations.work(await evaluations.begin(third, budget_usd=1.0))
        assert provider.statuses == {200: 30}


async def test_jobs_that_ended_long_ago_are_forgotten_and_their_targets_not_judged_again(rules: RuleBench) -> None:
    rule = await rules.rule(CODE)
    await rules.observe(1, 2)
    await rules.follow()
    await rules.work()
    settings = rules.evaluations.bench.settings
    await remove_expired_evaluations(settings)
    assert len(await rules.executions(rule)) == 2
    await aged(rules, "evaluation_jobs", "finished_at")
    await remove_expired_evaluations(settings)
    assert await rules.executions(rule) == []
    assert len(rules.evaluations.scores()) == 2
