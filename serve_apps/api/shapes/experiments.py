"""Experiments and their items as the API shows them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NotRequired

from heliograph.domain.experiments import EXPERIMENT_METADATA, ITEM_METADATA, PREFIX, Experiment
from heliograph.domain.observations import Observation
from serve_apps.api.shapes.scores import ScoreV3
from serve_apps.api.shapes.values import Instant, Json, JsonObject, JsonShape, Level, iso, optional_iso, parsed

EXPERIMENT_GROUPS = ("core", "metadata", "scores")
ITEM_GROUPS = ("core", "dataset", "io", "metadata", "itemMetadata", "experimentMetadata", "scores")
DEFAULT_ITEM_GROUPS = ("core", "dataset")
# What ingestion adds to an observation's own metadata.
_SYSTEM = frozenset({"resourceAttributes", "scope", "attributes"})


class ExperimentShape(JsonShape):
    """An experiment, as the observations of a period tell it; metadata and scores where asked for."""

    id: str
    name: str
    description: str | None
    startTime: Instant
    endTime: Instant
    itemCount: int
    datasetId: str | None
    metadata: NotRequired[JsonObject]
    scores: NotRequired[Sequence[ScoreV3]]


class ExperimentItemShape(JsonShape):
    """The observation in which an item of an experiment ran: its core, and the groups that were asked for."""

    id: str
    traceId: str
    startTime: Instant
    endTime: Instant | None
    level: Level
    environment: str
    experimentId: str
    experimentName: str
    experimentItemId: str
    experimentDatasetId: NotRequired[str | None]
    experimentItemVersion: NotRequired[Instant | None]
    input: NotRequired[Json]
    output: NotRequired[Json]
    expectedOutput: NotRequired[Json]
    metadata: NotRequired[JsonObject]
    experimentItemMetadata: NotRequired[JsonObject]
    experimentMetadata: NotRequired[JsonObject]
    experimentDescription: NotRequired[str | None]
    scores: NotRequired[Sequence[ScoreV3]]


def experiment_shape(experiment: Experiment, groups: frozenset[str]) -> ExperimentShape:
    """The contract's experiment."""
    shape: ExperimentShape = {
        "id": experiment.id,
        "name": experiment.name,
        "description": experiment.description or None,
        "startTime": iso(experiment.start_time),
        "endTime": iso(experiment.end_time),
        "itemCount": experiment.item_count,
        "datasetId": experiment.dataset_id or None,
    }
    if "metadata" in groups:
        shape["metadata"] = entries_below(EXPERIMENT_METADATA, experiment.metadata)
    return shape


def experiment_item_shape(item: Observation, groups: frozenset[str]) -> ExperimentItemShape:
    """The contract's experiment item: the observation in which an item ran."""
    told = item.metadata
    shape: ExperimentItemShape = {
        "id": item.id,
        "traceId": item.trace_id,
        "startTime": iso(item.start_time),
        "endTime": optional_iso(item.end_time),
        "level": item.level,
        "environment": item.environment,
        "experimentId": told.get(f"{PREFIX}id", ""),
        "experimentName": told.get(f"{PREFIX}name", ""),
        "experimentItemId": told.get(f"{PREFIX}item.id", ""),
    }
    if "dataset" in groups:
        shape["experimentDatasetId"] = told.get(f"{PREFIX}dataset.id") or None
        shape["experimentItemVersion"] = _version(told.get(f"{PREFIX}item.version", ""))
    if "io" in groups:
        shape["input"], shape["output"] = parsed(item.input), parsed(item.output)
        shape["expectedOutput"] = parsed(told.get(f"{PREFIX}item.expected_output", ""))
    if "metadata" in groups:
        shape["metadata"] = _own_metadata(told)
    if "itemMetadata" in groups:
        shape["experimentItemMetadata"] = entries_below(ITEM_METADATA, told)
    if "experimentMetadata" in groups:
        shape["experimentMetadata"] = entries_below(EXPERIMENT_METADATA, told)
        shape["experimentDescription"] = told.get(f"{PREFIX}description") or None
    return shape


def entries_below(prefix: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """The entries of flattened metadata under one key; what is no object is kept under `metadata`."""
    below = {key.removeprefix(f"{prefix}."): parsed(text) for key, text in metadata.items() if _is_below(prefix, key)}
    whole = metadata.get(prefix)
    return {**below, "metadata": parsed(whole)} if whole not in {None, "", "{}"} else below


def _is_below(prefix: str, key: str) -> bool:
    return key.startswith(f"{prefix}.")


def _own_metadata(told: Mapping[str, str]) -> dict[str, Any]:
    own = (key for key in told if key not in _SYSTEM and not key.startswith(PREFIX))
    return {key: parsed(told[key]) for key in own}


def _version(text: str) -> Instant | None:
    """A moment as the contract writes it; what is none is left out."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
