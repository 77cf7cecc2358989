"""Judges asked by batches of their providers: one question, one answer, one payment, whoever dies meanwhile."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from evals.errors import CredentialsInvalid
from heliograph.domain.evaluation_runs import EvaluationRun, Place, RunMode, RunProgress, RunState
from heliograph.domain.own_traces import JUDGES_ENVIRONMENT
from pipelines.cancelled_batches import end_all
from pipelines.evaluation_part import carry_out
from pipelines.expired_evaluations import remove_expired_evaluations
from storage.postgres.evaluation_parts import EvaluationParts
from storage.postgres.projects import Projects
from tests.integration.actors.lane_bench import Bench, running
from tests.integration.pipelines.evaluations import RELEVANCE, EvaluationBench, evaluating
from tests.provider import VERDICT, Provider, completion, error, serving


@pytest.fixture
async def evaluations(bench: Bench) -> AsyncIterator[EvaluationBench]:
    project = await Projects(bench.database).create(f"project {bench.project_id}", organization_name="The organization")
    often = bench.settings.evaluation.model_copy(update={"batch_poll_seconds": 0.05})
    own = replace(bench, project_id=project.id, settings=bench.settings.model_copy(update={"evaluation": often}))
    async with running(own.lane()) as lane, evaluating(own, lane, project) as made:
        yield made


async def begun(evaluations: EvaluationBench, provider: Provider, **asked: Any) -> EvaluationRun:
    await evaluations.connect(provider)
    return await evaluations.begin(RELEVANCE, mode=RunMode.BATCH, **{"budget_usd": 1.0, **asked})


async def submit(evaluations: EvaluationBench, run: EvaluationRun) -> RunProgress:
    """Every part as far as it goes until its provider answers."""
    for part in await EvaluationParts(evaluations.bench.database).claimable(run.id, Place.SERVER):
        await carry_out(run, part, evaluations.stores)
    return (await evaluations.runs.progress([run.id]))[run.id]


async def forget_submission(evaluations: EvaluationBench, run: EvaluationRun) -> None:
    """As whoever is killed after the provider has taken a batch leaves it."""
    async with evaluations.bench.database.transaction() as session:
        forget = text("UPDATE judge_batches SET state = 'prepared', provider_id = '' WHERE run_id = :run")
        await session.execute(forget, {"run": run.id})


async def to_end(evaluations: EvaluationBench, run: EvaluationRun) -> RunProgress:
    for _ in range(200):
        progress = await evaluations.work(run)
        if (await evaluations.runs.get(run.id)).state is not RunState.RUNNING:
            return progress
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_a_batch_judges_every_target_at_half_the_price(evaluations: EvaluationBench) -> None:
    await evaluations.observe(60)
    with serving(Provider()) as provider:
        provider.batches.seconds = 3_600
        run = await begun(evaluations, provider)
        submitted = await submit(evaluations, run)
        assert submitted.reserved_usd > 0 == submitted.spent_usd
        provider.batches.hurry()
        progress = await to_end(evaluations, run)
        assert not provider.requests
        assert len(provider.batches.asked) == 60
    scores = evaluations.scores()
    assert set(Counter(score["observation_id"] for score in scores).values()) == {1}
    assert progress.report.counts["relevance"] == {"scored": 60, "skipped": 0, "failed": 0, "existing": 0}
    assert progress.spent_usd == pytest.approx(60 * (200 * 0.15e-6 + 30 * 0.6e-6) / 2, rel=1e-3)
    assert (progress.reserved_usd, progress.unknown_usd) == (0, 0)
    traced = evaluations.observations(JUDGES_ENVIRONMENT)
    assert {score["execution_trace_id"] for score in scores} == {one["trace_id"] for one in traced}
    assert float(sum(one["total_cost"] or 0 for one in traced)) == pytest.approx(progress.spent_usd, rel=1e-3)


async def test_a_batch_that_was_submitted_by_one_who_died_is_found_and_not_paid_twice(
    evaluations: EvaluationBench,
) -> None:
    await evaluations.observe(10)
    with serving(Provider()) as provider:
        provider.batches.seconds = 3_600
        run = await begun(evaluations, provider)
        await submit(evaluations, run)
        provider.batches.hurry()
        (batch,) = provider.batches.batches
        await forget_submission(evaluations, run)
        progress = await to_end(evaluations, run)
        assert list(provider.batches.batches) == [batch]
    assert progress.report.counts["relevance"]["scored"] == len(evaluations.scores()) == 10
    assert progress.unknown_usd == progress.reserved_usd == 0


@pytest.mark.slow
async def test_what_a_batch_leaves_unanswered_is_asked_again_and_what_it_refuses_fails(
    evaluations: EvaluationBench,
) -> None:
    await evaluations.observe(20)

    def reply(request: dict[str, Any]) -> Any:
        asked = json.dumps(request["messages"])
        if "question 3<" in asked or "question 3\\" in asked:
            return error(400, "This content is not for me")
        if ("question 4<" in asked or "question 4\\" in asked) and len(request["messages"]) == 2:
            return completion("no verdict at all")
        return completion(VERDICT)

    with serving(Provider(reply=reply)) as provider:
        provider.batches.expiring = 6
        run = await begun(evaluations, provider)
        progress = await to_end(evaluations, run)
    counts = progress.report.counts["relevance"]
    assert (counts["scored"], counts["failed"]) == (19, 1)
    (failure,) = await evaluations.runs.failures(run.id, limit=10)
    assert failure.cause == "RequestInvalid"
    assert progress.reserved_usd == progress.unknown_usd == 0


@pytest.mark.slow
async def test_a_budget_that_holds_for_some_asks_the_rest_with_what_comes_back(evaluations: EvaluationBench) -> None:
    await evaluations.observe(40)
    with serving(Provider()) as provider:
        run = await begun(evaluations, provider, budget_usd=0.01)
        progress = await to_end(evaluations, run)
        assert len(provider.batches.batches) > 2
    assert (await evaluations.runs.get(run.id)).state is RunState.FINISHED
    assert progress.report.counts["relevance"]["scored"] == 40
    assert progress.spent_usd <= 0.01


@pytest.mark.slow
async def test_a_batch_that_is_refused_as_a_whole_blocks_the_run_with_the_reason(evaluations: EvaluationBench) -> None:
    await evaluations.observe(5)
    with serving(Provider()) as provider:
        provider.batches.refusal = ("invalid_model", "gpt-4o-mini has no batches here")
        run = await begun(evaluations, provider)
        progress = await to_end(evaluations, run)
        blocked = await evaluations.runs.get(run.id)
        assert blocked.state is RunState.BLOCKED
        assert "has no batches here" in blocked.reason
        assert progress.spent_usd == progress.reserved_usd == 0
        await asyncio.sleep(3.1)
        await to_end(evaluations, await evaluations.start(run))
    assert len(evaluations.scores()) == 5


async def ended(evaluations: EvaluationBench) -> int:
    """How often the chore looks until nothing of cancelled runs is on its way."""
    for looks in range(1, 20):
        if await end_all(evaluations.stores):
            return looks
    raise TimeoutError


async def assert_gives_all_money_back(evaluations: EvaluationBench, run: EvaluationRun) -> None:
    progress = (await evaluations.runs.progress([run.id]))[run.id]
    assert progress.spent_usd == progress.reserved_usd == progress.unknown_usd == 0
    assert await end_all(evaluations.stores) == 0


@pytest.mark.parametrize("is_noted", [True, False], ids=["submitted", "submitted by one who died"])
async def test_a_cancelled_run_ends_its_batch_and_gives_its_money_back(
    evaluations: EvaluationBench, *, is_noted: bool
) -> None:
    await evaluations.observe(5)
    with serving(Provider()) as provider:
        provider.batches.seconds = 3_600
        run = await begun(evaluations, provider)
        await submit(evaluations, run)
        if not is_noted:
            await forget_submission(evaluations, run)
        await evaluations.runs.turn(run.id, RunState.CANCELLED)
        provider.batches.is_down = True
        assert await end_all(evaluations.stores) == 0
        provider.batches.is_down = False
        # A provider takes its time to cancel, and refuses to be told again.
        assert await ended(evaluations) > 1
        (batch,) = provider.batches.batches.values()
        assert batch["status"] == "cancelled"
    await assert_gives_all_money_back(evaluations, run)


@pytest.mark.slow
async def test_a_batch_that_had_ended_when_its_run_was_cancelled_is_settled(evaluations: EvaluationBench) -> None:
    await evaluations.observe(5)
    with serving(Provider()) as provider:
        provider.batches.seconds = 3_600
        run = await begun(evaluations, provider)
        await submit(evaluations, run)
        await evaluations.runs.turn(run.id, RunState.CANCELLED)
        provider.batches.hurry()
        assert await ended(evaluations) == 1
    progress = (await evaluations.runs.progress([run.id]))[run.id]
    assert progress.spent_usd > 0 == progress.reserved_usd == progress.unknown_usd


@pytest.mark.slow
async def test_a_run_that_a_line_of_its_batch_blocks_goes_on_when_the_cause_is_gone(
    evaluations: EvaluationBench,
) -> None:
    await evaluations.observe(5)
    denied = error(401, "Incorrect API key provided")
    with serving(Provider(reply=lambda _: denied)) as provider:
        run = await begun(evaluations, provider)
        await to_end(evaluations, run)
        blocked = await evaluations.runs.get(run.id)
        assert (blocked.state, blocked.cause) == (RunState.BLOCKED, CredentialsInvalid.block)
        provider.batches.reply = lambda _: completion(VERDICT)
        await asyncio.sleep(3.1)
        progress = await to_end(evaluations, await evaluations.start(run))
    assert progress.report.counts["relevance"]["scored"] == len(evaluations.scores()) == 5


async def test_a_part_whose_batch_is_not_taken_now_rests_as_long_as_one_that_is_awaited(
    evaluations: EvaluationBench,
) -> None:
    await evaluations.observe(5)
    with serving(Provider()) as provider:
        often = evaluations.stores.settings
        seldom = often.evaluation.model_copy(update={"batch_poll_seconds": 3_600})
        evaluations.stores.settings = often.model_copy(update={"evaluation": seldom})
        run = await begun(evaluations, provider)
        provider.batches.is_down = True
        await submit(evaluations, run)
        async with evaluations.bench.database.transaction() as session:
            rest = text(
                "SELECT min(claimed_until) > now() + interval '10 minutes' FROM evaluation_parts WHERE run_id = :run"
            )
            assert await session.scalar(rest, {"run": run.id})
    assert (await evaluations.runs.get(run.id)).state is RunState.RUNNING


@pytest.mark.slow
async def test_what_batches_left_unanswered_or_cut_off_is_asked_again_on_demand(evaluations: EvaluationBench) -> None:
    await evaluations.observe(5)
    cut = completion(VERDICT[:10], finish_reason="length")
    with serving(Provider(reply=lambda _: cut)) as provider:
        run = await begun(evaluations, provider)
        progress = await to_end(evaluations, run)
        assert progress.report.counts["relevance"]["failed"] == 5
        provider.batches.reply = lambda _: completion(VERDICT)
        assert await evaluations.runs.retry_failed(run.id) == 5
        progress = await to_end(evaluations, await evaluations.runs.get(run.id))
    assert progress.report.counts["relevance"]["scored"] == len(evaluations.scores()) == 5


@pytest.mark.slow
async def test_what_batches_answered_is_forgotten_long_after_their_run(evaluations: EvaluationBench) -> None:
    await evaluations.observe(5)
    with serving(Provider()) as provider:
        run = await begun(evaluations, provider)
        await to_end(evaluations, run)
    kept = text("SELECT count(*) FROM batch_answers WHERE run_id = :run")
    older = text("UPDATE evaluation_runs SET finished_at = finished_at - INTERVAL '31 days' WHERE id = :run")
    settings, database = evaluations.bench.settings, evaluations.bench.database
    for count, change in ((5, older), (0, None)):
        await remove_expired_evaluations(settings)
        async with database.transaction() as session:
            assert await session.scalar(kept, {"run": run.id}) == count
            if change is not None:
                await session.execute(change, {"run": run.id})
