"""Evaluation runs on the real engines: every target once, whatever the provider does and whoever dies."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from heliograph.domain.evaluation_runs import EvaluatorSpec, OnExisting, Place, RunState
from heliograph.domain.own_traces import JUDGES_ENVIRONMENT
from heliograph.domain.selections import SelectedTable
from pipelines.evaluation_part import carry_out
from storage.postgres.evaluation_parts import EvaluationParts
from storage.postgres.projects import Projects
from tests.integration.actors.lane_bench import Bench, flushed, running
from tests.integration.pipelines.evaluations import RELEVANCE, VALID, EvaluationBench, evaluating, question
from tests.provider import VERDICT, Provider, Reply, completion, error, limited, outage, serving


@pytest.fixture
async def evaluations(bench: Bench) -> AsyncIterator[EvaluationBench]:
    project = await Projects(bench.database).create(f"project {bench.project_id}", organization_name="The organization")
    own = replace(bench, project_id=project.id)
    async with running(own.lane()) as lane, evaluating(own, lane, project) as made:
        yield made


def per_target(scores: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((score["name"], score["observation_id"]) for score in scores)


async def test_every_target_gets_one_score_that_says_whence_it_came(evaluations: EvaluationBench) -> None:
    await evaluations.observe(60)
    with serving(Provider()) as provider:
        await evaluations.connect(provider)
        run = await evaluations.begin(RELEVANCE, VALID, budget_usd=1.0)
        progress = await evaluations.work(run)
    scores = evaluations.scores()
    assert set(per_target(scores).values()) == {1}
    assert len(scores) == 120
    assert {name: counts["scored"] for name, counts in progress.report.counts.items()} == {
        "relevance": 60,
        "json_valid": 60,
    }
    judged = [score for score in scores if score["name"] == "relevance"]
    assert {(score["source"], score["metadata"]["evaluation_run"].strip('"')) for score in judged} == {("EVAL", run.id)}
    assert all(score["evaluator_version"] and score["comment"] for score in judged)
    traced = evaluations.observations(JUDGES_ENVIRONMENT)
    assert {score["execution_trace_id"] for score in judged} == {one["trace_id"] for one in traced}
    assert sum(dict(one["usage_details"]).get("input", 0) for one in traced) == 60 * 200
    assert float(sum(one["total_cost"] for one in traced)) == pytest.approx(progress.spent_usd, rel=1e-3)
    assert (progress.parts_done, (await evaluations.runs.get(run.id)).state) == (progress.parts, RunState.FINISHED)
    assert 0 < run.estimate.usd_low < progress.spent_usd * 3
    assert progress.spent_usd < run.estimate.usd_high


async def test_trajectory_evaluators_of_the_catalogue_read_the_observations_of_the_trace(
    evaluations: EvaluationBench,
) -> None:
    await evaluations.observe(3)
    steps = EvaluatorSpec(name="step_efficiency", parameters={"needed": 1})
    for table in (SelectedTable.TRACES, SelectedTable.OBSERVATIONS):
        await evaluations.work(await evaluations.begin(steps, table=table))
    scores = evaluations.scores()
    assert {score["value"] for score in scores} == {1.0}
    assert {score["comment"] for score in scores} != {""}
    assert Counter(bool(score["observation_id"]) for score in scores) == {False: 3, True: 3}


async def test_a_second_run_judges_nothing_again_unless_it_is_to_replace(evaluations: EvaluationBench) -> None:
    await evaluations.observe(30)
    await evaluations.work(await evaluations.begin(VALID))
    first = {score["id"]: score["metadata"] for score in evaluations.scores()}
    again = await evaluations.work(await evaluations.begin(VALID))
    assert again.report.counts["json_valid"]["existing"] == 30
    assert {score["id"]: score["metadata"] for score in evaluations.scores()} == first
    anew = await evaluations.work(await evaluations.begin(VALID, on_existing=OnExisting.REPLACE))
    assert anew.report.counts["json_valid"]["scored"] == 30
    replaced = evaluations.scores()
    assert {score["id"] for score in replaced} == first.keys()
    assert all(score["metadata"] != first[score["id"]] for score in replaced)


async def test_calls_of_judges_are_not_judged(evaluations: EvaluationBench) -> None:
    await evaluations.observe(5)
    await evaluations.observe(5, environment=JUDGES_ENVIRONMENT)
    progress = await evaluations.work(await evaluations.begin(VALID))
    assert progress.report.counts["json_valid"]["scored"] == len(evaluations.scores())
    assert {score["environment"] for score in evaluations.scores()} == {"default"}


async def test_a_run_stops_at_its_budget_and_goes_on_with_a_larger_one(evaluations: EvaluationBench) -> None:
    await evaluations.observe(40)
    with serving(Provider()) as provider:
        await evaluations.connect(provider)
        run = await evaluations.begin(RELEVANCE, budget_usd=0.003)
        progress = await evaluations.work(run)
        blocked = await evaluations.runs.get(run.id)
        assert (blocked.state, blocked.cause) == (RunState.BLOCKED, "BUDGET_EXHAUSTED")
        assert progress.spent_usd + progress.reserved_usd <= 0.003
        assert 0 < len(evaluations.scores()) < 40
        calls = len(provider.requests)
        assert len(evaluations.scores()) == calls
        run = await evaluations.runs.turn(run.id, RunState.RUNNING, budget_units=10**12)
        await asyncio.sleep(3.1)
        await evaluations.work(run)
        assert len(provider.requests) == 40
    assert len(evaluations.scores()) == 40


async def test_a_key_that_is_refused_blocks_the_run_for_a_person(evaluations: EvaluationBench) -> None:
    await evaluations.observe(20)
    with serving(Provider(reply=lambda _: error(401, "Incorrect API key provided"))) as provider:
        await evaluations.connect(provider)
        run = await evaluations.begin(RELEVANCE, budget_usd=1.0)
        progress = await evaluations.work(run)
    blocked = await evaluations.runs.get(run.id)
    assert (blocked.state, blocked.cause) == (RunState.BLOCKED, "LLM_CONNECTION_AUTH_INVALID")
    assert "Incorrect API key" in blocked.reason
    assert progress.spent_usd == 0


async def test_a_worker_that_died_is_followed_by_one_that_judges_the_rest(evaluations: EvaluationBench) -> None:
    await evaluations.observe(40)
    evaluations.min_partition_rows = 1_000
    with serving(Provider(latency_seconds=0.05)) as provider:
        await evaluations.connect(provider)
        run = await evaluations.begin(RELEVANCE, budget_usd=1.0)
        killed = asyncio.create_task(carry_out(run, 0, evaluations.stores))
        while len(provider.requests) < 25:  # noqa: ASYNC110 - the provider tells nobody
            await asyncio.sleep(0.01)
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        await flushed(evaluations.lane)
        await asyncio.sleep(3.1)
        progress = await evaluations.work(run)
    assert set(per_target(evaluations.scores()).values()) == {1}
    assert progress.report.counts["relevance"]["scored"] == len(evaluations.scores()) == 40
    assert await EvaluationParts(evaluations.bench.database).claim(run.id, Place.SERVER) is None


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_every_target_is_accounted_for_in_a_storm_and_none_is_scored_twice(evaluations: EvaluationBench) -> None:
    """A limit of 60 requests a second, an outage, malformed answers, refusals and errors."""
    await evaluations.observe(600)
    evaluations.min_partition_rows = 150

    def plan(number: int, _request: dict[str, Any]) -> Reply | None:
        if 100 <= number < 160:
            return outage()
        if 300 <= number < 330:
            return limited(0.3)
        return None

    def reply(request: dict[str, Any]) -> Reply:
        asked = int(question(request).split()[1].split("<")[0].strip('\\n"'))
        if asked % 50 == 1:
            return completion("I'm sorry, I cannot judge this.")
        if asked % 50 == 2:
            return completion("no JSON at all")
        if asked % 50 == 3:
            return error(400, "This request is invalid")
        return completion(VERDICT)

    with serving(Provider(0.05, requests_per_second=60, plan=plan, reply=reply)) as provider:
        await evaluations.connect(provider)
        run = await evaluations.begin(RELEVANCE, budget_usd=5.0)
        progress = await evaluations.work(run)
        (limiter,) = evaluations.limiters.values()
        status = await limiter.status()
        print(f"steady at {status.allowed_per_second:.0f}/s allowed, {status.answered_per_second:.0f}/s answered")
        counts = progress.report.counts["relevance"]
        assert counts["scored"] + counts["failed"] + counts["skipped"] == 600
        assert (progress.report.causes["JudgeRefused"], progress.report.causes["AnswerMalformed"]) == (12, 12)
        assert progress.report.causes["RequestInvalid"] == 12
        assert set(per_target(evaluations.scores()).values()) == {1}
        assert len(evaluations.scores()) == counts["scored"] == 564
        assert 0 < status.allowed_per_second < 90
        assert status.refused_share < 0.2
        assert len(await evaluations.runs.failures(run.id, limit=100)) == 36
        provider.reply = lambda _: completion(VERDICT)
        assert await evaluations.runs.retry_failed(run.id) == 36
        progress = await evaluations.work(await evaluations.runs.get(run.id))
    assert progress.report.counts["relevance"] == {"scored": 600, "skipped": 0, "failed": 0, "existing": 0}
    assert set(per_target(evaluations.scores()).values()) == {1}
    assert len(evaluations.scores()) == 600
    assert progress.spent_usd + progress.reserved_usd <= 5
