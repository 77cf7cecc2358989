"""The runs over a dataset, whichever way clients have told of them: item by item, or in the spans of experiments."""

from typing import Any

import orjson

from heliograph.domain.datasets import Dataset, run_id
from heliograph.domain.experiments import DatasetRun, DatasetRunItem, Experiment
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import DatasetRunNotFound
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.experiments import Experiments
from storage.postgres.connection import Database
from storage.postgres.dataset_runs import DatasetRuns


class RunsOfDataset:
    """The runs over one dataset of a project.

    Args:
        reported: what clients told item by item.
        experiments: what spans told.
        dataset: whose runs they are.
    """

    def __init__(self, reported: DatasetRuns, experiments: Experiments, dataset: Dataset) -> None:
        self._reported = reported
        self._experiments = experiments
        self.dataset = dataset

    @classmethod
    async def read(cls, database: Database, clickhouse: ClickHouse, dataset: Dataset) -> "RunsOfDataset":
        """Know which runs are deleted."""
        project_id = ProjectId(dataset.project_id)
        reported = DatasetRuns(database, project_id)
        return cls(reported, Experiments(clickhouse, project_id, await reported.cuts(dataset.id)), dataset)

    async def all(self) -> list[DatasetRun]:
        """Every run, the oldest first; one that was told both ways is one run."""
        runs = {one.id: _run_of(one) for one in await self._experiments.of_dataset(self.dataset.id)}
        for run in await self._reported.of_dataset(self.dataset.id):
            runs[run.id] = _joined(run, runs.get(run.id))
        return sorted(runs.values(), key=lambda run: (run.created_at, run.id))

    async def named(self, name: str) -> list[DatasetRun]:
        """The runs of a name: one, unless a client chose ids of its own. Raises DatasetRunNotFound."""
        expected = run_id(self.dataset.project_id, self.dataset.id, name)
        found = [run for run in await self.all() if run.name == name]
        if not found:
            raise DatasetRunNotFound(self.dataset.name, name)
        return sorted(found, key=lambda run: run.id != expected)

    async def items(self, run: DatasetRun) -> list[DatasetRunItem]:
        """Every item of a run, in the order in which they ran."""
        items = {
            (row["experiment_item_id"], row["trace_id"]): DatasetRunItem(
                id=row["id"],
                run_id=run.id,
                run_name=run.name,
                dataset_item_id=row["experiment_item_id"],
                trace_id=row["trace_id"],
                observation_id=row["id"],
                created_at=row["start_time"],
                updated_at=row["updated_at"],
            )
            for row in await self._experiments.items_of(run.id)
        }
        reported = await self._reported.items_of(run)
        known = {(item.dataset_item_id, item.trace_id) for item in reported}
        both = [*reported, *(item for key, item in items.items() if key not in known)]
        return sorted(both, key=lambda item: (item.created_at, item.id))

    async def delete(self, name: str) -> None:
        """Delete the runs of a name; their traces stay. Raises DatasetRunNotFound."""
        await self._reported.delete(await self.named(name))


def _run_of(experiment: Experiment) -> DatasetRun:
    prefix = "langfuse.experiment.metadata"
    metadata = {key.removeprefix(prefix).removeprefix("."): _parsed(text) for key, text in experiment.metadata.items()}
    return DatasetRun(
        id=experiment.id,
        dataset_id=experiment.dataset_id,
        name=experiment.name,
        description=experiment.description or None,
        metadata=metadata or None,
        created_at=experiment.start_time,
        updated_at=experiment.end_time,
    )


def _joined(run: DatasetRun, experiment: DatasetRun | None) -> DatasetRun:
    if experiment is None:
        return run
    return DatasetRun(
        id=run.id,
        dataset_id=run.dataset_id,
        name=run.name,
        description=run.description or experiment.description,
        metadata=experiment.metadata if run.metadata is None else run.metadata,
        created_at=min(run.created_at, experiment.created_at),
        updated_at=max(run.updated_at, experiment.updated_at),
    )


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text or None
