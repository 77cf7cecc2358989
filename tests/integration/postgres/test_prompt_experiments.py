"""Prompt experiments: run by whoever is there, gone on with where they were, blocked where a person must act."""

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from evals.judging.retries import Backoff
from heliograph.domain.access import Project
from heliograph.domain.datasets import ItemChange, NewDataset
from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.llm_connections import Adapter, NewLlmConnection
from heliograph.domain.pacing import CallCounts
from heliograph.domain.prompt_experiments import (
    ModelChoice,
    PromptExperiment,
    PromptExperimentPlan,
    PromptExperimentStatus,
)
from heliograph.domain.prompts import NewPrompt, PromptType
from heliograph.outbound import Outbound
from ingestion import otlp
from pipelines.prompt_experiments import Means, PromptExperimentWorker, messages_of
from storage.postgres.connection import Database
from storage.postgres.dataset_items import DatasetItems
from storage.postgres.dataset_runs import DatasetRuns
from storage.postgres.datasets import Datasets
from storage.postgres.llm_connections import LlmConnections
from storage.postgres.prompt_experiments import PromptExperiments
from storage.postgres.prompts import Prompts
from storage.seal import Seal
from tests.provider import Json, Provider, Reply, completion, error, limited, serving

SEAL = Seal("key of the tests")
HERE = (ipaddress.ip_network("127.0.0.0/8"),)


class FreeSlots:
    """Slots without a limit, which count how calls ended."""

    def __init__(self) -> None:
        self.refused = 0

    async def take(self) -> None:
        pass

    def give_back(self, counts: CallCounts) -> None:
        self.refused += counts.refused


class Kept:
    """Spans in memory, as rows."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    async def take_spans(self, project: Project, export: otlp.ExportTraceServiceRequest) -> MappedBatch:
        batch = otlp.map_export(export, otlp.MappingContext(project.id, IngestionFacts(), datetime.now(UTC))).batch
        self.rows += batch.observations.to_pylist(maps_as_pydicts="lossy")
        return batch


class Bench:
    """A project with a dataset of ten items, a prompt and a connection, and a worker."""

    def __init__(self, database: Database, project: Project) -> None:
        self.database, self.project = database, project
        self.kept, self.slots = Kept(), FreeSlots()
        means = Means(database, self.kept, SEAL, Outbound(HERE), self._slots, Backoff(5, 0.01, 0.1))
        self.worker = PromptExperimentWorker(means)
        self.experiments = PromptExperiments(database, project.id)

    @asynccontextmanager
    async def _slots(self, *_: str) -> AsyncIterator[FreeSlots]:
        yield self.slots

    async def start(self, url: str) -> PromptExperiment:
        await Datasets(self.database, self.project.id).put(NewDataset(name="qa"))
        items = [ItemChange(id=f"{self.project.id}-{at}", input={"number": at}, expected_output=at) for at in range(10)]
        items.append(ItemChange(id=f"{self.project.id}-none", input={"other": 1}))
        await DatasetItems(self.database, self.project.id).put("qa", items)
        await Prompts(self.database, self.project.id).created(
            NewPrompt(name="count", type=PromptType.TEXT, body="Say {{number}}.")
        )
        new = NewLlmConnection(
            provider="house", adapter=Adapter.OPENAI, secret_key="sk-of-the-tests", base_url=url,
            custom_models=("gpt-4o-mini",),
        )  # fmt: skip
        await LlmConnections(self.database, self.project.id, SEAL).put(new)
        plan = PromptExperimentPlan(
            dataset_name="qa", run_name="count 1, gpt", prompt_name="count", prompt_version=1,
            model=ModelChoice(provider="house", model="gpt-4o-mini", parameters={"temperature": 0.5}), concurrency=4,
        )  # fmt: skip
        (started,) = await self.experiments.add([plan])
        return started

    async def ended(self, started: PromptExperiment) -> PromptExperiment:
        await self.worker.run_unfinished()
        return await self.experiments.get(started.id)

    async def items(self) -> list[str]:
        dataset = await Datasets(self.database, self.project.id).get("qa")
        runs = DatasetRuns(self.database, self.project.id)
        (run,) = await runs.of_dataset(dataset.id)
        return sorted(item.dataset_item_id for item in await runs.items_of(run))


@pytest.fixture
def bench(database: Database, project: Project) -> Bench:
    return Bench(database, project)


async def test_every_item_is_asked_once_and_traced_as_an_experiment(bench: Bench) -> None:
    with serving(Provider(reply=lambda asked: completion(asked["messages"][0]["content"]))) as provider:
        started = await bench.start(provider.url)
        ended = await bench.ended(started)
        again = await bench.ended(started)
    assert (ended.status, ended.items, ended.done) == (PromptExperimentStatus.FINISHED, 11, 10)
    assert ended.failures == {f"{bench.project.id}-none": "the input has no number"}
    assert again == ended
    assert len(provider.requests) == 10
    assert len(await bench.items()) == 10
    row = next(row for row in bench.kept.rows if row["output"] == "Say 3.")
    assert (row["environment"], row["prompt_name"], row["prompt_version"]) == ("prompt-experiment", "count", 1)
    assert row["metadata"]["langfuse.experiment.item.id"] == f"{bench.project.id}-3"
    assert row["metadata"]["langfuse.experiment.name"] == "count 1, gpt"


async def test_what_blocks_it_waits_for_a_person_and_what_is_done_is_not_asked_again(bench: Bench) -> None:
    def plan(number: int, _: Json) -> Reply | None:
        return error(401, "Incorrect API key", code="invalid_api_key") if number == 6 else None

    with serving(Provider(plan=plan)) as provider:
        started = await bench.start(provider.url)
        blocked = await bench.ended(started)
        assert blocked.status is PromptExperimentStatus.BLOCKED
        assert blocked.message.startswith("LLM_CONNECTION_AUTH_INVALID")
        done = set(await bench.items())
        asked = len(provider.requests)
        await bench.experiments.resume(started.id)
        ended = await bench.ended(started)
    assert (ended.status, ended.done) == (PromptExperimentStatus.FINISHED, 10)
    assert len(provider.requests) - asked <= 10 - len(done)


async def test_a_storm_of_refusals_is_waited_for(bench: Bench) -> None:
    with serving(Provider(plan=lambda number, _: limited(0.01) if number < 6 else None)) as provider:
        ended = await bench.ended(await bench.start(provider.url))
    assert (ended.status, ended.done, len(ended.failures)) == (PromptExperimentStatus.FINISHED, 10, 1)
    assert bench.slots.refused == provider.statuses[429] > 0


async def test_a_cancelled_one_asks_no_more_until_it_is_resumed(bench: Bench) -> None:
    with serving(Provider()) as provider:
        started = await bench.start(provider.url)
        await bench.experiments.cancel(started.id)
        assert (await bench.ended(started)).status is PromptExperimentStatus.CANCELLED
        assert provider.requests == []
        await bench.experiments.resume(started.id)
        assert (await bench.ended(started)).done == 10


def test_a_placeholder_takes_a_list_of_messages_alone() -> None:
    body = [{"type": "placeholder", "name": "history"}]
    assert messages_of(body, {"history": "no"}) == ([], "history of the input has to be a list of messages")
    said = [{"role": "user", "content": "hello"}]
    assert messages_of(body, {"history": said}) == (said, "")
    assert messages_of("{{input}}", "why?") == ([{"role": "user", "content": "why?"}], "")
