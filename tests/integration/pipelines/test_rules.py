"""Online evaluation on the real engines: what matches is judged once, and whatever goes wrong is told."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from evals.project_evaluators import version_of
from heliograph.domain.evaluation_jobs import JobState
from heliograph.domain.evaluation_rules import NewRule, RuleTarget, sample_place
from heliograph.domain.filters import one_of
from heliograph.domain.masking import MaskingRule, RuleKind
from heliograph.domain.own_traces import JUDGES_ENVIRONMENT
from heliograph.domain.project_evaluators import Definition, EvaluatorType
from storage.postgres.evaluation_jobs import EvaluationJobs
from storage.postgres.evaluators import Evaluators
from storage.postgres.masking_rules import MaskingRules
from storage.postgres.projects import Projects
from tests.integration.actors.lane_bench import Bench, running
from tests.integration.pipelines.evaluations import evaluating
from tests.integration.pipelines.rules import AT_ONCE, CODE, FAILING, JUDGE, STEPS, TURNS, RuleBench, owning
from tests.masking_service import Service, masking
from tests.provider import Provider, Reply, error, outage, serving


@pytest.fixture
async def rules(bench: Bench) -> AsyncIterator[RuleBench]:
    project = await Projects(bench.database).create(f"project {bench.project_id}", organization_name="The organization")
    own = replace(bench, project_id=project.id)
    async with running(own.lane()) as lane, evaluating(own, lane, project) as evaluations, owning(evaluations) as made:
        yield made


def with_sampling(rule: NewRule, sampling: float) -> NewRule:
    names = NewRule.__dataclass_fields__
    return NewRule(**{name: getattr(rule, name) for name in names} | {"sampling": sampling})


async def test_what_meets_the_filter_and_the_sample_is_scored_once_and_says_by_what(rules: RuleBench) -> None:
    numbers = range(1, 41)
    await rules.observe(99)
    rule = await rules.rule(CODE, sampling=0.5, filter=(one_of("type", ["GENERATION"]),))
    await rules.observe(*numbers)
    await rules.observe(50, kind="span")
    sampled = {f"{number:016x}" for number in numbers if sample_place(f"{number:016x}") < 0.5}
    assert await rules.follow() == len(sampled)
    assert await rules.follow() == 0
    await rules.work()
    scores = rules.evaluations.scores()
    assert {score["observation_id"] for score in scores} == sampled
    assert len(scores) == len(sampled)
    assert {(score["source"], score["data_type"], score["value"]) for score in scores} == {("EVAL", "BOOLEAN", 1.0)}
    assert {dict(score["metadata"])["evaluation_rule_id"] for score in scores} == {rule.id}
    assert len({score["evaluator_version"] for score in scores} - {""}) == 1


async def test_a_version_saved_before_the_work_is_the_one_that_the_scores_name(rules: RuleBench) -> None:
    rule = await rules.rule(CODE)
    await rules.observe(1)
    assert await rules.follow() == 1
    length = "def evaluate(ctx):\n    return len(ctx.observation.output)\n"
    evaluators = Evaluators(rules.evaluations.bench.database, rules.project_id)
    changed = Definition(type=EvaluatorType.CODE, source_code=length)
    saved = await evaluators.save(rule.assignments[0].name, changed)
    await rules.work()
    (score,) = rules.evaluations.scores()
    assert score["evaluator_version"] == version_of(saved.definition, ())
    assert score["evaluator_version"] != version_of(CODE, ())


@pytest.mark.slow
async def test_raising_the_sample_scores_nothing_again(rules: RuleBench) -> None:
    rule = await rules.rule(CODE, sampling=0.3)
    await rules.observe(*range(1, 21))
    await rules.follow()
    await rules.work()
    before = {score["id"]: score["timestamp"] for score in rules.evaluations.scores()}
    await rules.rules.replace(rule.id, with_sampling(rule, 1.0), is_resumed=False)
    # The same observations come again, as from an exporter that repeats itself.
    await rules.observe(*range(1, 21))
    assert await rules.follow() == 20 - len(before)
    await rules.work()
    after = {score["id"]: score["timestamp"] for score in rules.evaluations.scores()}
    assert len(after) == 20
    assert before.items() <= after.items()


async def test_a_judges_score_leads_to_its_trace_which_no_rule_judges(rules: RuleBench) -> None:
    rule = await rules.rule(JUDGE)
    await rules.observe(1, 2)
    with serving(Provider()) as provider:
        await rules.evaluations.connect(provider)
        assert await rules.follow() == 2
        await rules.work()
        assert [one.message for one in await rules.executions(rule)] == ["", ""]
        assert provider.statuses == {200: 2}
        assert "Is answer 1 right?" in str(provider.requests) + str(provider.requests)
        assert await rules.follow() == 0
    scores = rules.evaluations.scores()
    assert {(score["value"], score["comment"]) for score in scores} == {(4.0, "It says what was asked for.")}
    traced = rules.evaluations.observations(JUDGES_ENVIRONMENT)
    assert {score["execution_trace_id"] for score in scores} == {one["trace_id"] for one in traced}
    assert sum(dict(one["usage_details"]).get("input", 0) for one in traced) == 400
    done = await rules.executions(rule)
    assert {(one.state, one.score_ids[0]) for one in done} == {(JobState.COMPLETED, score["id"]) for score in scores}


async def test_what_a_judge_says_is_masked_by_the_projects_callback_before_it_is_stored(rules: RuleBench) -> None:
    def masked(shown: Any) -> tuple[int, Any]:
        return 200, json.loads(json.dumps(shown).replace("what was asked for", "***"))

    await rules.rule(JUDGE)
    await rules.observe(1)
    with serving(Provider()) as provider, masking(Service(masked)) as service:
        own = MaskingRules(rules.evaluations.bench.database, rules.project_id)
        await own.add(MaskingRule("", RuleKind.CALLBACK, service.url, is_fail_closed=True))
        await rules.evaluations.connect(provider)
        await rules.follow()
        await rules.work()
    (score,) = rules.evaluations.scores()
    assert (score["value"], score["comment"]) == (4.0, "It says ***.")
    traced = rules.evaluations.observations(JUDGES_ENVIRONMENT)
    assert [one["output"] for one in traced if one["type"] == "GENERATION"] != []
    assert not [one for one in traced if "what was asked for" in str(one)]


async def test_a_trace_is_judged_at_rest_and_again_when_late_spans_arrive(rules: RuleBench) -> None:
    rule = await rules.rule(STEPS, RuleTarget.TRACE, delay=timedelta(hours=1))
    await rules.observe(1, 2, trace=7)
    await rules.follow()
    await rules.observe(3, trace=7)
    await rules.follow()
    await rules.work()
    assert [one.state for one in await rules.executions(rule)] == [JobState.PENDING]
    await rules.rules.replace(rule.id, replace(with_sampling(rule, 1.0), delay=AT_ONCE), is_resumed=False)
    await rules.observe(4, trace=7)
    await rules.follow()
    await rules.work()
    (score,) = rules.evaluations.scores()
    assert (score["value"], score["observation_id"]) == (4.0, "")
    await rules.observe(5, trace=7)
    await rules.follow()
    await rules.work()
    assert [(one["id"], one["value"]) for one in rules.evaluations.scores()] == [(score["id"], 5.0)]


@pytest.mark.slow
async def test_a_session_is_judged_by_its_turns(rules: RuleBench) -> None:
    await rules.rule(TURNS, RuleTarget.SESSION, delay=AT_ONCE)
    await rules.observe(1, 2, 3, session="talk")
    assert await rules.follow() == 1
    await rules.work()
    (score,) = rules.evaluations.scores()
    assert (score["session_id"], score["trace_id"], score["value"]) == ("talk", "", 3.0)


async def test_a_job_whose_worker_died_is_taken_again_and_never_paid_twice(rules: RuleBench) -> None:
    rule = await rules.rule(JUDGE)
    await rules.observe(1, 2, 3)
    await rules.follow()
    queue = EvaluationJobs(rules.evaluations.bench.database)
    untouched, asked, answered = await queue.take(3, timedelta(0))
    await queue.note_asked(asked.id)
    await queue.note_asked(answered.id)
    verdict = {"value": 2.0, "data_type": "NUMERIC", "comment": "", "name": "", "metadata": {}}
    await queue.note_verdict(
        answered.id, {"scores": [verdict], "execution_trace_id": "a" * 32, "evaluator_version": "v"}
    )
    with serving(Provider()) as provider:
        await rules.evaluations.connect(provider)
        await rules.work()
        assert provider.statuses == {200: 1}
    ended = {one.id: one for one in await rules.executions(rule)}
    assert (ended[untouched.id].state, ended[answered.id].state) == (JobState.COMPLETED, JobState.COMPLETED)
    assert (ended[asked.id].state, ended[asked.id].cause) == (JobState.ERROR, "OutcomeUnknown")
    assert sorted(score["value"] for score in rules.evaluations.scores()) == [2.0, 4.0]


@pytest.mark.slow
async def test_an_evaluator_that_keeps_failing_pauses_its_rule_with_the_cause(rules: RuleBench) -> None:
    rule = await rules.rule(FAILING)
    await rules.observe(*range(1, 21))
    await rules.follow()
    await rules.work()
    blocked = await rules.rules.get(rule.id)
    assert (blocked.status, blocked.block and blocked.block.reason) == ("paused", "EVALUATOR_KEEPS_FAILING")
    assert blocked.block
    assert "ZeroDivisionError" in blocked.block.message
    await rules.observe(30)
    assert await rules.follow() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "ended_so", "block"),
    [
        (
            error(401, "Incorrect key"),
            (JobState.ERROR, "CredentialsInvalid"),
            "LLM_CONNECTION_AUTH_INVALID",
        ),
        (error(404, "The model does not exist"), (JobState.ERROR, "ModelUnavailable"), "EVAL_MODEL_UNAVAILABLE"),
        (error(400, "Unsupported value"), (JobState.ERROR, "RequestInvalid"), ""),
        (outage(), (JobState.PENDING, "ProviderUnavailable"), ""),
    ],
)
async def test_failures_of_providers_are_told_apart(
    rules: RuleBench, reply: Reply, ended_so: tuple[JobState, str], block: str
) -> None:
    rule = await rules.rule(JUDGE)
    await rules.observe(1)
    await rules.follow()
    with serving(Provider(reply=lambda _: reply)) as provider:
        await rules.evaluations.connect(provider)
        await rules.jobs().advance()
    (ended,) = await rules.executions(rule)
    assert (ended.state, ended.cause) == ended_so
    found = (await rules.rules.get(rule.id)).block
    assert (found.reason if found else "") == block
