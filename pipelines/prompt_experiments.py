"""Prompt experiments: a prompt is asked of a model for each item of a dataset, at the pace that the provider takes.

Which items are done, the run in PostgreSQL tells: whoever takes an experiment up goes on with what is not.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from evals.errors import CallFailed, RateLimited
from evals.judging.limited import Slots
from evals.judging.retries import Backoff
from evals.providers.chat import Answering, ChatRequest, answers
from evals.providers.connections import Reached, reached
from heliograph import telemetry
from heliograph.domain.access import Project
from heliograph.domain.datasets import DatasetItem, ItemFilter, ItemStatus, run_id
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.events import MappedBatch
from heliograph.domain.experiments import ITEM_METADATA, PREFIX, ReportedItem
from heliograph.domain.filters import Page
from heliograph.domain.not_found import NotFound
from heliograph.domain.pacing import CallCounts
from heliograph.domain.prompt_experiments import (
    ENVIRONMENT,
    PromptExperiment,
    PromptExperimentPlan,
    PromptExperimentStatus,
)
from heliograph.domain.prompts import Body, Choice, compiled, placeholders, variables
from heliograph.outbound import Outbound
from ingestion import otlp
from ingestion.model_calls import ModelCall, as_json, export_of
from storage.postgres.connection import Database
from storage.postgres.dataset_items import DatasetItems
from storage.postgres.dataset_runs import DatasetRuns
from storage.postgres.datasets import Datasets
from storage.postgres.llm_connections import LlmConnections
from storage.postgres.projects import Projects
from storage.postgres.prompt_compositions import PromptCompositions
from storage.postgres.prompt_experiments import AllPromptExperiments, Unfinished
from storage.seal import Seal

_log = telemetry.logger("prompt_experiments")
_PAGE = 500
_LOOK_SECONDS = 2.0
_NOTE_SECONDS = 1.0

# The slots of a provider and key, for as long as an experiment runs.
SlotsOf = Callable[[str, str, str], AbstractAsyncContextManager[Slots]]


class Keeps(Protocol):
    """Where the traces of calls go; see `Intake`."""

    async def take_spans(self, project: Project, export: otlp.ExportTraceServiceRequest) -> MappedBatch:
        """Return the rows when the spans are durable."""
        ...


@dataclass(frozen=True)
class Means:
    """What experiments are run with.

    Attributes:
        intake: where traces go.
        seal: opens the connections' secrets.
        outbound: the guard of every call.
        slots: of a provider, a key, and an experiment, which shares them with others.
        backoff: how often a call is tried that a later one may heal.
    """

    database: Database
    intake: Keeps
    seal: Seal = field(repr=False)
    outbound: Outbound
    slots: SlotsOf
    backoff: Backoff = field(default_factory=Backoff)


class PromptExperimentWorker:
    """Runs whatever is to be run. Any number may: each experiment is run by one at a time, whose death frees it."""

    def __init__(self, means: Means, *, look_seconds: float = _LOOK_SECONDS) -> None:
        self._means = means
        self._known = AllPromptExperiments(means.database)
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Look for experiments until it is cancelled."""
        while True:
            await self.run_unfinished()
            await asyncio.sleep(self._look_seconds)

    async def run_unfinished(self) -> None:
        """Run all that are unfinished and that nobody else runs, side by side."""
        await asyncio.gather(*map(self._run, await self._known.unfinished()))

    async def _run(self, unfinished: Unfinished) -> None:
        experiment = unfinished.experiment
        async with self._means.database.lock(f"prompt-experiment-{experiment.id}") as lock:
            if lock is None:
                return
            status, message = PromptExperimentStatus.FINISHED, ""
            try:
                project = await Projects(self._means.database).get(unfinished.project_id)
                await Run(self._means, project, experiment).work()
            except CallFailed as failed:
                status, message = PromptExperimentStatus.BLOCKED, f"{failed.block}: {failed}"
            except (NotFound, InvalidRequest) as wrong:
                status, message = PromptExperimentStatus.BLOCKED, str(wrong)
            _log.info("prompt_experiment_ended", experiment=experiment.id, status=status, message=message)
            await self._known.end(experiment.id, status, message)


class Run:
    """One experiment of a project, as one worker runs it."""

    def __init__(self, means: Means, project: Project, experiment: PromptExperiment) -> None:
        self._means = means
        self._project = project
        self._experiment = experiment
        self._plan: PromptExperimentPlan = experiment.plan
        self._known = AllPromptExperiments(means.database)
        self._runs = DatasetRuns(means.database, project.id)
        self._failures: dict[str, str] = {}
        self._done = 0

    async def work(self) -> None:
        """Ask for every item that is not done, until none is left or somebody cancels.

        Raises:
            CallFailed: one that says of itself that a person must act first.
            NotFound, InvalidRequest: the prompt, the dataset or the connection cannot be used.
        """
        plan, database = self._plan, self._means.database
        dataset = await Datasets(database, self._project.id).get(plan.dataset_name)
        choice = Choice(version=plan.prompt_version)
        prompt = (await PromptCompositions(database, self._project.id).get(plan.prompt_name, choice)).prompt
        opened = await LlmConnections(database, self._project.id, self._means.seal).opened(plan.model.provider)
        model = await asyncio.to_thread(reached, opened, plan.model.model, self._means.outbound)
        items = await self._items()
        done = await self._done_items(run_id(self._project.id, dataset.id, plan.run_name), dataset.id)
        left = iter([item for item in items if item.id not in done])
        self._done = sum(item.id in done for item in items)
        async with self._means.slots(plan.model.provider, opened.pacing_key, self._experiment.id) as slots:
            asking = _Asking(self, plan, dataset.id, prompt.body, model, slots, self._means.backoff)
            noting = asyncio.create_task(self._note_often(len(items)))
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(plan.concurrency):
                        group.create_task(asking.ask_all(left))
            except ExceptionGroup as failed:
                # The others are ended by the first failure: what it says holds for all of them.
                raise failed.exceptions[0] from failed
            finally:
                noting.cancel()
                await self._note(len(items))

    async def is_wanted(self) -> bool:
        """Whether nobody has cancelled it."""
        return await self._known.is_wanted(self._experiment.id)

    def failed(self, item: DatasetItem, reason: str) -> None:
        """Note that an item has no answer; it is tried again when somebody resumes the experiment."""
        self._failures[item.id] = reason

    async def keep(self, dataset_id: str, item: DatasetItem, call: ModelCall) -> None:
        """Store the trace of an answer, then the item: what has no item is asked again."""
        plan = self._plan
        experiment = {
            "id": run_id(self._project.id, dataset_id, plan.run_name),
            "name": plan.run_name,
            "dataset.id": dataset_id,
            "item.id": item.id,
            "item.version": item.valid_from.isoformat(),
            "item.root_observation_id": call.span_id,
            "item.expected_output": "" if item.expected_output is None else as_json(item.expected_output),
        }
        attributes = {f"{PREFIX}{name}": text for name, text in experiment.items()}
        attributes[ITEM_METADATA] = "" if item.metadata is None else as_json(item.metadata)
        await self._means.intake.take_spans(self._project, export_of([replace(call, attributes=attributes)]))
        reported = ReportedItem(
            run_name=plan.run_name,
            dataset_item_id=item.id,
            trace_id=call.trace_id,
            observation_id=call.span_id,
            metadata={
                "prompt_id": f"{plan.prompt_name}:{plan.prompt_version}",
                "provider": plan.model.provider,
                "model": plan.model.model,
                "model_params": plan.model.parameters,
            },
            dataset_version=plan.dataset_version,
        )
        await self._runs.report(reported)
        self._done += 1

    async def _items(self) -> list[DatasetItem]:
        asked = ItemFilter(
            dataset_name=self._plan.dataset_name, status=ItemStatus.ACTIVE, version=self._plan.dataset_version
        )
        reader, found, total = DatasetItems(self._means.database, self._project.id), list[DatasetItem](), 1
        while len(found) < total:
            page, total = await reader.page(asked, Page(len(found) // _PAGE + 1, _PAGE))
            found += page
            if not page:
                break
        return found

    async def _done_items(self, run: str, dataset_id: str) -> frozenset[str]:
        done: set[str] = set()
        for one in await self._runs.of_dataset(dataset_id):
            if one.id == run:
                done |= {item.dataset_item_id for item in await self._runs.items_of(one)}
        return frozenset(done)

    async def _note_often(self, items: int) -> None:
        while True:
            await self._note(items)
            await asyncio.sleep(_NOTE_SECONDS)

    async def _note(self, items: int) -> None:
        await self._known.note(self._experiment.id, items=items, done=self._done, failures=self._failures)


@dataclass(frozen=True)
class _Asking:
    """The model, as the items of one run ask it."""

    run: Run
    plan: PromptExperimentPlan
    dataset_id: str
    body: Body
    model: Reached
    slots: Slots
    backoff: Backoff

    async def ask_all(self, items: Iterator[DatasetItem]) -> None:
        """Ask for one item after another; raises CallFailed where a person must act first."""
        for item in items:
            if not await self.run.is_wanted():
                return
            messages, problem = messages_of(self.body, item.input)
            if problem:
                self.run.failed(item, problem)
                continue
            try:
                await self._ask(item, messages)
            except CallFailed as failed:
                if failed.block:
                    raise
                self.run.failed(item, str(failed))

    async def _ask(self, item: DatasetItem, messages: list[dict[str, Any]]) -> None:
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self.run.keep(self.dataset_id, item, await self._answered(item, messages))
            except CallFailed as failed:
                if self.backoff.gives_up(attempt, failed):
                    raise
                await asyncio.sleep(self.backoff.wait(attempt, failed, 0.5))

    async def _answered(self, item: DatasetItem, messages: list[dict[str, Any]]) -> ModelCall:
        """One call at the pace of the provider, as the trace that is kept of it."""
        await self.slots.take()
        ended, started_at, answer = CallCounts(failed=1), datetime.now(UTC), Answering()
        try:
            async for answer in answers(self.model, ChatRequest(messages, self.plan.model.parameters)):  # noqa: B007
                pass
            ended = CallCounts(answered=1)
        except RateLimited as limited:
            ended = CallCounts(refused=1, retry_after=limited.retry_after)
            raise
        finally:
            self.slots.give_back(ended)
        # The same item has the same trace: one that was interrupted before it was noted takes its own place.
        trace_id = hashlib.sha256(f"{self.plan.run_name}\0{self.dataset_id}\0{item.id}".encode()).hexdigest()[:32]
        return ModelCall(
            trace_id=trace_id, span_id=trace_id[:16], name=self.plan.run_name, environment=ENVIRONMENT, user_id="",
            model=self.plan.model.model, messages=messages, parameters=self.plan.model.parameters, output=answer.text,
            usage=answer.usage, started_at=started_at, first_at=None, ended_at=datetime.now(UTC),
            prompt=(self.plan.prompt_name, self.plan.prompt_version),
        )  # fmt: skip


def messages_of(body: Body, given: Any) -> tuple[list[dict[str, Any]], str]:
    """The messages of a prompt with an item's input in it, or what the input lacks."""
    values = given if isinstance(given, dict) else {"input": given}
    if missing := sorted((variables(body) | placeholders(body)) - values.keys()):
        return [], f"the input has no {', '.join(missing)}"
    if wrong := sorted(name for name in placeholders(body) if not isinstance(values[name], list)):
        return [], f"{', '.join(wrong)} of the input has to be a list of messages"
    return compiled(body, values), ""
