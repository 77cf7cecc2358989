"""Session evaluators of the catalogue in runs: each session of the selected rows gets one score."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from heliograph.domain.evaluation_runs import EvaluatorSpec
from heliograph.domain.selections import SelectedTable
from storage.postgres.projects import Projects
from tests.integration.actors.lane_bench import Bench, running
from tests.integration.pipelines.evaluations import RELEVANCE, evaluating
from tests.integration.pipelines.rules import RuleBench, owning
from tests.provider import Provider, completion, serving


@pytest.fixture
async def rules(bench: Bench) -> AsyncIterator[RuleBench]:
    project = await Projects(bench.database).create(f"project {bench.project_id}", organization_name="The organization")
    own = replace(bench, project_id=project.id)
    async with running(own.lane()) as lane, evaluating(own, lane, project) as evaluations, owning(evaluations) as made:
        yield made


async def test_each_session_of_the_selected_traces_gets_one_score(rules: RuleBench) -> None:
    evaluations = rules.evaluations
    await rules.observe(1, 2, session="long")
    await rules.observe(3, session="short")
    await rules.observe(4)
    few = EvaluatorSpec(name="turns_within", parameters={"limit": 1})
    frustration = EvaluatorSpec(name="user_frustration", judge=RELEVANCE.judge)
    answer = completion('{"reasoning": "Nothing of the kind.", "score": false}')
    with serving(Provider(reply=lambda _: answer)) as provider:
        await evaluations.connect(provider)
        run = await evaluations.begin(few, frustration, table=SelectedTable.TRACES, budget_usd=1.0)
        progress = await evaluations.work(run)
        again = await evaluations.work(
            await evaluations.begin(few, frustration, table=SelectedTable.TRACES, budget_usd=1.0)
        )  # fmt: skip
        assert provider.statuses == {200: 2}
    scores = evaluations.scores()
    assert {(one["name"], one["session_id"], one["value"]) for one in scores} == {
        ("turns_within", "long", 0.0),
        ("turns_within", "short", 1.0),
        ("user_frustration", "long", 0.0),
        ("user_frustration", "short", 0.0),
    }
    assert {(one["trace_id"], one["observation_id"]) for one in scores} == {("", "")}
    assert {name: counts["scored"] for name, counts in progress.report.counts.items()} == {
        "turns_within": 2,
        "user_frustration": 2,
    }
    assert again.report.count("existing") == 4
