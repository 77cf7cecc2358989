"""Runs over datasets as the API takes and shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliograph.domain.experiments import DatasetRun, DatasetRunItem, ReportedItem
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.documents import Document
from serve_apps.api.shapes.values import Instant, Json, JsonShape, iso

_Id = Annotated[Text, Field(min_length=1, max_length=800)]


class RunItemBody(BaseModel):
    """An item that ran; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=AliasGenerator(validation_alias=to_camel))

    run_name: Annotated[Text, Field(min_length=1)]
    run_description: Text | None = None
    metadata: Document = None
    dataset_item_id: _Id
    trace_id: _Id | None = None
    observation_id: _Id | None = None
    dataset_version: datetime | None = None
    created_at: datetime | None = None

    def reported(self, trace_id: str) -> ReportedItem:
        """What it says, in the trace that it ran in."""
        return ReportedItem(
            run_name=self.run_name,
            dataset_item_id=self.dataset_item_id,
            trace_id=trace_id,
            observation_id=self.observation_id or "",
            run_description=self.run_description,
            metadata=self.metadata,
            dataset_version=self.dataset_version,
            created_at=self.created_at,
        )


class _RunFields(JsonShape):
    id: str
    name: str
    description: str | None
    metadata: Json
    datasetId: str
    datasetName: str
    createdAt: Instant
    updatedAt: Instant


class DatasetRunShape(_RunFields):
    """A run over a dataset."""


class DatasetRunItemShape(JsonShape):
    """An item of a run, and the trace in which it ran, or the observation of it."""

    id: str
    datasetRunId: str
    datasetRunName: str
    datasetItemId: str
    traceId: str
    observationId: str | None
    createdAt: Instant
    updatedAt: Instant


class WholeDatasetRun(_RunFields):
    """A run with its items."""

    datasetRunItems: Sequence[DatasetRunItemShape]


def run_shape(run: DatasetRun, dataset_name: str) -> DatasetRunShape:
    """The contract's run."""
    return {
        "id": run.id,
        "name": run.name,
        "description": run.description,
        "metadata": run.metadata,
        "datasetId": run.dataset_id,
        "datasetName": dataset_name,
        "createdAt": iso(run.created_at),
        "updatedAt": iso(run.updated_at),
    }


def whole_run_shape(run: DatasetRun, dataset_name: str, items: Sequence[DatasetRunItem]) -> WholeDatasetRun:
    """The contract's run with its items."""
    return {**run_shape(run, dataset_name), "datasetRunItems": list(map(run_item_shape, items))}


def run_item_shape(item: DatasetRunItem) -> DatasetRunItemShape:
    """The contract's item of a run."""
    return {
        "id": item.id,
        "datasetRunId": item.run_id,
        "datasetRunName": item.run_name,
        "datasetItemId": item.dataset_item_id,
        "traceId": item.trace_id,
        "observationId": item.observation_id,
        "createdAt": iso(item.created_at),
        "updatedAt": iso(item.updated_at),
    }
