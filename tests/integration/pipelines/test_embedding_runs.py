"""Evaluators that compare embeddings, on the server: within the budget, and each text paid once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from heliograph.domain.evaluation_runs import EmbedderSpec, EvaluatorSpec, RunState
from storage.postgres.projects import Projects
from tests.integration.actors.lane_bench import Bench, running
from tests.integration.pipelines.evaluations import EvaluationBench, evaluating
from tests.provider import Provider, Reply, error, serving

ALIKE = EvaluatorSpec(
    name="embedding_relevance", embedder=EmbedderSpec(provider="local", model="text-embedding-3-small")
)


@pytest.fixture
async def evaluations(bench: Bench) -> AsyncIterator[EvaluationBench]:
    project = await Projects(bench.database).create(f"project {bench.project_id}", organization_name="The organization")
    own = replace(bench, project_id=project.id)
    async with running(own.lane()) as lane, evaluating(own, lane, project) as made:
        yield made


def vectors(request: dict[str, Any]) -> Reply:
    """Answers point one way, questions another: their cosine is 0.6."""
    data = [
        {"object": "embedding", "index": place, "embedding": [3.0, 4.0] if text.startswith("answer") else [5.0, 0.0]}
        for place, text in enumerate(request["input"])
    ]
    used = {"prompt_tokens": 4 * len(data), "total_tokens": 4 * len(data)}
    return 200, {}, {"object": "list", "data": data, "model": request["model"], "usage": used}


async def test_texts_are_embedded_once_and_paid_from_the_budget(evaluations: EvaluationBench) -> None:
    await evaluations.observe(15)
    with serving(Provider(reply=vectors)) as provider:
        await evaluations.connect(provider)
        run = await evaluations.begin(ALIKE, budget_usd=1.0)
        progress = await evaluations.work(run)
        assert sum(len(request["input"]) for request in provider.requests) == 30
        again = ALIKE.model_copy(update={"score": "again"})
        free = await evaluations.work(await evaluations.begin(again, budget_usd=1.0))
        assert sum(len(request["input"]) for request in provider.requests) == 30
    found = {(score["name"], round(score["value"], 6)) for score in evaluations.scores()}
    assert found == {("embedding_relevance", 0.6), ("again", 0.6)}
    assert len(evaluations.scores()) == 30
    assert progress.spent_usd == pytest.approx(120 * 0.02e-6, rel=1e-3)
    assert free.spent_usd == progress.reserved_usd == 0
    assert 0 < run.estimate.usd_low < run.estimate.usd_high < 0.001


async def test_an_embedder_whose_key_is_refused_blocks_the_run(evaluations: EvaluationBench) -> None:
    await evaluations.observe(3)
    with serving(Provider(reply=lambda _: error(401, "Incorrect API key provided"))) as provider:
        await evaluations.connect(provider)
        run = await evaluations.begin(ALIKE, budget_usd=1.0)
        await evaluations.work(run)
    blocked = await evaluations.runs.get(run.id)
    assert (blocked.state, blocked.cause) == (RunState.BLOCKED, "LLM_CONNECTION_AUTH_INVALID")
    assert evaluations.scores() == []
