"""What was stored before a rule: judged by a run as the rule would have judged it, and never by both."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from heliograph.domain.evaluation_jobs import JobState, RuleEvaluator, Target, score_id
from heliograph.domain.evaluation_rules import EvaluationRule, NewRule, RuleTarget, TimeScope, sample_place
from heliograph.domain.evaluation_runs import NewRun, RunProgress
from heliograph.domain.filters import ArrayOptionsCondition, Page, one_of
from ingestion.pricing import managed_prices
from pipelines.rule_backfill import backfill
from pipelines.rule_backfills import RuleBackfills
from storage.clickhouse.selections import Selections
from storage.clickhouse.streams import ArrowStreams
from storage.postgres.evaluators import Evaluators
from storage.postgres.projects import Projects
from tests.integration.actors.lane_bench import Bench, running
from tests.integration.pipelines.evaluations import evaluating
from tests.integration.pipelines.rules import AT_ONCE, CODE, JUDGE, LABELS, STEPS, RuleBench, owning
from tests.provider import Provider, completion, error, serving

EXISTING = (TimeScope.NEW, TimeScope.EXISTING)


@pytest.fixture
async def rules(bench: Bench) -> AsyncIterator[RuleBench]:
    project = await Projects(bench.database).create(f"project {bench.project_id}", organization_name="The organization")
    own = replace(bench, project_id=project.id)
    async with running(own.lane()) as lane, evaluating(own, lane, project) as evaluations, owning(evaluations) as made:
        yield made


async def asked(rules: RuleBench, rule: EvaluationRule, budget_usd: float = 1.0) -> NewRun:
    evaluators = Evaluators(rules.evaluations.bench.database, rules.project_id)
    named = {one.evaluator_id: await evaluators.get(one.evaluator_id) for one in rule.assignments}
    run = backfill(rule, named, await evaluators.default_model())
    return run.model_copy(update={"budget_usd": budget_usd})


async def fill(rules: RuleBench, rule: EvaluationRule, budget_usd: float = 1.0) -> RunProgress:
    evaluations = rules.evaluations
    clickhouse = evaluations.stores.clickhouse
    selections = Selections(clickhouse, ArrowStreams(clickhouse), rules.project_id, min_partition_rows=20)
    run = await evaluations.planned(await asked(rules, rule, budget_usd), selections)
    await rules.rules.note_backfill(rule.id, run.id)
    return await evaluations.work(await evaluations.start(run))


def told(scores: list[dict[str, Any]]) -> dict[str, Any]:
    return {score["id"]: (score["name"], score["value"], score["evaluator_version"]) for score in scores}


async def test_what_was_stored_before_is_judged_by_the_run_and_what_arrives_by_the_rule(rules: RuleBench) -> None:
    numbers = range(1, 31)
    await rules.observe(*numbers)
    await rules.observe(60, kind="span")
    rule = await rules.rule(CODE, sampling=0.5, filter=(one_of("type", ["GENERATION"]),), time_scope=EXISTING)
    await rules.observe(*range(31, 51))
    progress = await fill(rules, rule)
    sampled = {f"{number:016x}" for number in numbers if sample_place(f"{number:016x}") < 0.5}
    stored = rules.evaluations.scores()
    assert {score["observation_id"] for score in stored} == sampled
    assert progress.report.counts[rule.assignments[0].name]["scored"] == len(sampled)
    assert {score["metadata"]["evaluation_rule_id"].strip('"') for score in stored} == {rule.id}
    await rules.follow()
    await rules.work()
    late = {f"{number:016x}" for number in range(31, 51) if sample_place(f"{number:016x}") < 0.5}
    both = rules.evaluations.scores()
    assert {score["observation_id"] for score in both} == sampled | late
    assert len(both) == len(sampled | late)
    assert len({score["evaluator_version"] for score in both}) == 1


async def test_what_a_rule_would_take_is_told_before_it_is_kept(rules: RuleBench) -> None:
    await rules.observe(*range(1, 9))
    await rules.observe(9, kind="span")
    evaluations, known = rules.evaluations, await rules.rule(CODE)
    clickhouse, database = evaluations.stores.clickhouse, evaluations.bench.database
    selections = Selections(clickhouse, ArrowStreams(clickhouse), rules.project_id)
    stores = evaluations.plan_stores(selections)
    backfills = RuleBackfills(rules.project_id, database, stores, prices=managed_prices(), adapters={})
    new = NewRule(
        name="not kept", target=RuleTarget.OBSERVATION, is_enabled=True, assignments=known.assignments,
        filter=(one_of("type", ["GENERATION"]),), time_scope=EXISTING,
    )  # fmt: skip
    found = await backfills.estimate(new)
    assert (found.rows, found.evaluations, found.usd_high) == (8, 8, 0)
    assert (await evaluations.runs.page(Page()))[1] == 0


async def test_a_judge_is_asked_once_whether_the_rule_or_a_run_asked_first(rules: RuleBench) -> None:
    with serving(Provider()) as provider:
        await rules.evaluations.connect(provider)
        await rules.observe(99)
        rule = await rules.rule(JUDGE, time_scope=EXISTING)
        await rules.observe(1, 2)
        await rules.follow()
        await rules.work()
        online = told(rules.evaluations.scores())
        await rules.observe(3)
        later = replace(rule, active_since=rule.active_since.replace(year=rule.active_since.year + 1))
        progress = await fill(rules, later)
        assert provider.statuses == {200: 4}
        assert progress.report.counts[rule.assignments[0].name] == {
            "scored": 2, "existing": 2, "skipped": 0, "failed": 0,
        }  # fmt: skip
        scores = rules.evaluations.scores()
        assert told(scores).items() >= online.items()
        assert len(scores) == 4
        assert all(score["execution_trace_id"] for score in scores)
        assert 0 < progress.spent_usd < 1
        again = await fill(rules, later)
        assert again.report.counts[rule.assignments[0].name]["existing"] == 4
        assert provider.statuses == {200: 4}


async def turned_to_what_is_stored(rules: RuleBench, rule: EvaluationRule) -> EvaluationRule:
    """The rule after it was disabled, and enabled again with another scope."""
    await rules.rules.replace(rule.id, replace(rule, is_enabled=False), is_resumed=False)
    return await rules.rules.replace(rule.id, replace(rule, time_scope=EXISTING), is_resumed=True)


async def test_a_run_leaves_to_the_rule_what_its_unfinished_jobs_will_judge(rules: RuleBench) -> None:
    with serving(Provider()) as provider:
        await rules.evaluations.connect(provider)
        rule = await rules.rule(JUDGE)
        await rules.observe(1, 2)
        assert await rules.follow() == 2
        await rules.observe(3)
        progress = await fill(rules, await turned_to_what_is_stored(rules, rule))
        counts = progress.report.counts[rule.assignments[0].name]
        assert (counts["scored"], counts["existing"]) == (1, 2)
        await rules.work()
        assert provider.statuses == {200: 3}
    assert len(rules.evaluations.scores()) == 3


async def test_a_job_that_is_tried_again_asks_no_more_about_what_the_run_has_judged(rules: RuleBench) -> None:
    with serving(Provider(plan=lambda number, _: error(400, "no") if number < 2 else None)) as provider:
        await rules.evaluations.connect(provider)
        rule = await rules.rule(JUDGE)
        await rules.observe(1, 2)
        await rules.follow()
        await rules.work()
        assert provider.statuses == {400: 2}
        await fill(rules, await turned_to_what_is_stored(rules, rule))
        assert await (await rules.rules.executions(rule.id)).retry() == 2
        await rules.work()
        assert provider.statuses == {400: 2, 200: 2}
    assert {one.state for one in await rules.executions(rule)} == {JobState.SKIPPED}
    assert len(rules.evaluations.scores()) == 2


@pytest.mark.slow
async def test_a_backfill_stops_at_the_budget_of_its_rule(rules: RuleBench) -> None:
    await rules.observe(*range(1, 21))
    with serving(Provider()) as provider:
        await rules.evaluations.connect(provider)
        progress = await fill(rules, await rules.rule(JUDGE, time_scope=EXISTING), budget_usd=0.002)
        assert 0 < len(provider.requests) < 20
    assert progress.spent_usd + progress.reserved_usd <= 0.002


@pytest.mark.slow
async def test_several_labels_are_the_same_scores_that_the_rule_gives(rules: RuleBench) -> None:
    await rules.observe(1)
    rule = await rules.rule(LABELS, time_scope=EXISTING)
    answer = completion('{"reasoning": "Both hold.", "score": ["short", "polite"]}')
    with serving(Provider(reply=lambda _: answer)) as provider:
        await rules.evaluations.connect(provider)
        await fill(rules, rule)
        scores = rules.evaluations.scores()
        assert {score["string_value"] for score in scores} == {"short", "polite"}
        assert {score["data_type"] for score in scores} == {"CATEGORICAL"}
    by = RuleEvaluator(rules.project_id, rule.id, scores[0]["evaluator_version"])
    target = Target(RuleTarget.OBSERVATION, f"{1:016x}", f"{1:032x}", 0)
    name = rule.assignments[0].name
    assert {score["id"] for score in scores} == {score_id(by, target, name, occurrence=number) for number in range(2)}


async def test_traces_are_judged_with_all_their_observations(rules: RuleBench) -> None:
    await rules.observe(1, 2, 3, trace=7)
    await rules.observe(4, trace=8)
    rule = await rules.rule(STEPS, RuleTarget.TRACE, delay=AT_ONCE, time_scope=EXISTING)
    await fill(rules, rule)
    scores = rules.evaluations.scores()
    assert {(score["trace_id"], score["value"]) for score in scores} == {(f"{7:032x}", 3.0), (f"{8:032x}", 1.0)}
    before = {score["trace_id"]: score["id"] for score in scores}
    await rules.observe(5, trace=7)
    await rules.follow()
    await rules.work()
    after = {score["trace_id"]: (score["id"], score["value"]) for score in rules.evaluations.scores()}
    assert after == {f"{7:032x}": (before[f"{7:032x}"], 4.0), f"{8:032x}": (before[f"{8:032x}"], 1.0)}


@pytest.mark.slow
async def test_conditions_on_the_tools_that_were_called_hold_of_what_is_stored(rules: RuleBench) -> None:
    await rules.observe(1, 2)
    called = ArrayOptionsCondition(type="arrayOptions", column="calledToolNames", operator="any of", value=["search"])
    progress = await fill(rules, await rules.rule(CODE, filter=(called,), time_scope=EXISTING))
    assert rules.evaluations.scores() == []
    assert progress.report.count("skipped") == 2
