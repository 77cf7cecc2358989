"""Datasets and their items as the API takes and shows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, NamedTuple

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliograph.domain.datasets import MAX_ITEM_ID, Dataset, DatasetItem, ItemChange, ItemStatus, NewDataset
from heliograph.domain.media import MediaField, StoredMedia
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.documents import Document, MediaPlace, media_places
from serve_apps.api.shapes.media import MediaShape
from serve_apps.api.shapes.values import Instant, Json, JsonShape, iso

MAX_BATCH = 500
ItemId = Annotated[Text, Field(min_length=1, max_length=MAX_ITEM_ID)]


class Body(BaseModel):
    """A request's body in the contract's spelling."""

    model_config = ConfigDict(frozen=True, alias_generator=AliasGenerator(validation_alias=to_camel))


class DatasetBody(Body):
    """A dataset to be created or changed; what is null or absent stays as it is."""

    name: Text
    description: Text | None = None
    metadata: Document = None
    input_schema: Document = None
    expected_output_schema: Document = None

    @property
    def new(self) -> NewDataset:
        """What it declares."""
        return NewDataset(
            name=self.name,
            description=self.description,
            metadata=self.metadata,
            input_schema=self.input_schema,
            expected_output_schema=self.expected_output_schema,
        )


class ItemFields(Body):
    """An item to be created or changed; what is null or absent stays as it is."""

    id: ItemId | None = None
    input: Document = None
    expected_output: Document = None
    metadata: Document = None
    source_trace_id: Text | None = None
    source_observation_id: Text | None = None
    status: ItemStatus | None = None

    @property
    def change(self) -> ItemChange:
        """What it declares; without an id it is a new item."""
        return ItemChange(
            id=self.id or "",
            input=self.input,
            expected_output=self.expected_output,
            metadata=self.metadata,
            source_trace_id=self.source_trace_id,
            source_observation_id=self.source_observation_id,
            status=self.status,
        )


class DatasetItemBody(ItemFields):
    """An item, and the dataset that it belongs to."""

    dataset_name: Text


class DatasetItemsBody(Body):
    """Many items of one dataset."""

    dataset_name: Text
    items: Annotated[list[ItemFields], Field(max_length=MAX_BATCH)]


class _DatasetFields(JsonShape):
    id: str
    projectId: str
    name: str
    description: str | None
    metadata: Json
    inputSchema: Json
    expectedOutputSchema: Json
    createdAt: Instant
    updatedAt: Instant


class DatasetShape(_DatasetFields):
    """A dataset; its schemas are JSON schemas, or null."""


class MediaReferenceShape(JsonShape):
    """Where an item refers to a file."""

    field: MediaField
    referenceString: str
    jsonPath: str
    media: MediaShape


class DatasetItemShape(JsonShape):
    """An item of a dataset; `version` is the moment from which it has been as it is."""

    id: str
    datasetId: str
    datasetName: str
    status: ItemStatus
    input: Json
    expectedOutput: Json
    metadata: Json
    sourceTraceId: str | None
    sourceObservationId: str | None
    createdAt: Instant
    updatedAt: Instant
    version: Instant
    mediaReferences: Sequence[MediaReferenceShape]


class ListedDatasetV1(_DatasetFields):
    """A dataset with the ids of its active items and the names of its runs."""

    items: Sequence[str]
    runs: Sequence[str]


class WholeDatasetV1(_DatasetFields):
    """A dataset with its active items and the names of its runs."""

    items: Sequence[DatasetItemShape]
    runs: Sequence[str]


class TakenItem(JsonShape):
    """An item that was taken, by its place in the request."""

    index: int
    id: str


class RefusedItem(JsonShape):
    """An item that was refused, by its place in the request."""

    index: int
    field: str
    message: str


class TakenItems(JsonShape):
    """What became of each item."""

    successes: Sequence[TakenItem]
    errors: Sequence[RefusedItem]


def dataset_shape(dataset: Dataset) -> DatasetShape:
    """The contract's dataset."""
    return {
        "id": dataset.id,
        "projectId": dataset.project_id,
        "name": dataset.name,
        "description": dataset.description,
        "metadata": dataset.metadata,
        "inputSchema": dataset.input_schema,
        "expectedOutputSchema": dataset.expected_output_schema,
        "createdAt": iso(dataset.created_at),
        "updatedAt": iso(dataset.updated_at),
    }


def item_places(item: DatasetItem) -> list[MediaPlace]:
    """Where an item refers to files."""
    fields = (
        (MediaField.INPUT, item.input),
        (MediaField.EXPECTED_OUTPUT, item.expected_output),
        (MediaField.METADATA, item.metadata),
    )
    return [place for field, document in fields for place in media_places(field, document)]


class Download(NamedTuple):
    """A file, and until when its URL is good."""

    media: StoredMedia
    url: str
    expires_at: datetime


Downloads = Mapping[str, Download]


def item_shape(
    item: DatasetItem, places: Sequence[MediaPlace] = (), downloads: Downloads | None = None
) -> DatasetItemShape:
    """The contract's item; files that are not there yet are left out."""
    known = downloads or {}
    return {
        "id": item.id,
        "datasetId": item.dataset_id,
        "datasetName": item.dataset_name,
        "status": item.status,
        "input": item.input,
        "expectedOutput": item.expected_output,
        "metadata": item.metadata,
        "sourceTraceId": item.source_trace_id,
        "sourceObservationId": item.source_observation_id,
        "createdAt": iso(item.created_at),
        "updatedAt": iso(item.valid_from),
        "version": iso(item.valid_from),
        "mediaReferences": [_reference(place, known[place.media_id]) for place in places if place.media_id in known],
    }


def _reference(place: MediaPlace, file: Download) -> MediaReferenceShape:
    return {
        "field": place.field,
        "referenceString": place.reference,
        "jsonPath": place.path,
        "media": {
            "mediaId": file.media.id,
            "contentType": file.media.content_type,
            "contentLength": file.media.content_length,
            "url": file.url,
            "urlExpiry": iso(file.expires_at),
        },
    }
