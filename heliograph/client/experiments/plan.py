"""An experiment before it runs: a task, the items that it is to run over, and what is to judge it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, Unpack

from heliograph.client.connection import Connection
from heliograph.client.experiments.earlier import earlier_results
from heliograph.client.experiments.experiment import ExperimentRun
from heliograph.client.experiments.items import DatasetOfServer, Item, Run
from heliograph.client.experiments.limits import Limit
from heliograph.client.experiments.on_ray import Share, run_on_ray
from heliograph.client.experiments.record import Record
from heliograph.client.experiments.running import Manner, finished, run_items
from heliograph.client.experiments.tasks import ItemResult, ItemTask, Task
from heliograph.client.experiments.visibility import wait_until_visible
from heliograph.domain.errors import RunEvaluatorFailed
from heliograph.evaluator import Evaluator, as_evaluator

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PlannedExperiment:
    """A task, the items that it is to run over, and what is to judge it; nothing has run yet.

    Attributes:
        evaluators: of each item.
        on_run: of the whole run: they read `results`, a list of `ItemResult`, and give one score each to the
            experiment itself.
        version: the moment whose items are meant; None is now.
        metadata: of the experiment, plain JSON.
    """

    connection: Connection
    dataset_name: str
    name: str
    task: Task
    evaluators: Sequence[Evaluator]
    on_run: Sequence[Evaluator] = ()
    version: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def run(
        self,
        *,
        concurrency: int = 16,
        limits: Mapping[str, Limit | int] | None = None,
        actors: int = 0,
        on_progress: Progress = lambda _done, _all: None,
    ) -> ExperimentRun:
        """Run what is not done yet, and write it all down as it ends; returns when the server shows it.

        Run again under the same name, it goes on: items that are done are not run or judged again, those that failed
        are. An item that was interrupted takes the place of its first try.

        Args:
            concurrency: how many items run at once, on each actor where there are some.
            limits: by provider how many calls may be open, or a `Limit`; the task takes them as its parameter
                `limits`: `async with limits["openai"]: …`. Actors share them.
            actors: how many actors of a Ray cluster run the items; 0 runs them here.
            on_progress: told how many items are done, of how many.

        Raises:
            NotFound: there is no such dataset.
            Unavailable: the server did not answer for a while; run it again.
            RunEvaluatorFailed: one of `on_run` broke.
        """
        dataset = DatasetOfServer(self.connection, self.dataset_name)
        run = dataset.run(self.name, self.version, self.metadata)
        items, done = dataset.items(self.version), dataset.done(run)
        left = [item for item in items if item.id not in done]
        task, manner = ItemTask(self.task, self.evaluators), Manner(run, concurrency, limits or {})
        share = Share(self.connection.server, task, _versions(self.evaluators), manner)
        count = len(items) - len(left)

        def tell(more: int) -> None:
            nonlocal count
            count += more
            on_progress(count, len(items))

        results = self._ran(left, share, actors=actors, on_done=tell)
        if self.on_run:
            known = earlier_results(self.connection, run, [item for item in items if item.id in done])
            self._judge(run, [*known, *results])
        ran = ExperimentRun(self.connection, run, results, resumed=len(items) - len(left))
        wait_until_visible(ran)
        return ran

    def _ran(
        self, items: Sequence[Item], share: Share, *, actors: int, on_done: Callable[[int], None]
    ) -> list[ItemResult]:  # fmt: skip
        if actors:
            return run_on_ray(items, share, actors=actors, on_done=on_done)
        record = Record(self.connection, share.manner.run, share.versions)
        return finished(run_items(items, share.task, record, manner=share.manner, on_done=on_done))

    def _judge(self, run: Run, results: Sequence[ItemResult]) -> None:
        record = Record(self.connection, run, {})
        outcomes = {each.name: finished(each.evaluate({"results": list(results)})) for each in self.on_run}
        record.write_summary(outcomes, _versions(self.on_run))
        for name, outcome in outcomes.items():
            if outcome.cause:
                raise RunEvaluatorFailed(name, outcome.reason)


class ExperimentOptions(TypedDict, total=False):
    """What an experiment may have besides; see `PlannedExperiment`."""

    on_run: Sequence[Evaluator | Callable[..., Any]]
    version: datetime | None
    metadata: Mapping[str, Any]


def planned_experiment(
    connection: Connection,
    dataset: str,
    task: Task,
    *,
    evaluators: Sequence[Evaluator | Callable[..., Any]],
    name: str,
    **more: Unpack[ExperimentOptions],
) -> PlannedExperiment:
    """A plan of what people write; see `Project.experiment`."""
    judges = tuple(map(as_evaluator, evaluators))
    on_run = tuple(map(as_evaluator, more.get("on_run", ())))
    version, metadata = more.get("version"), more.get("metadata", {})
    return PlannedExperiment(connection, dataset, name, task, judges, on_run, version, metadata)


def _versions(evaluators: Sequence[Evaluator]) -> dict[str, str]:
    return {evaluator.name: evaluator.version for evaluator in evaluators}
