"""Experiments: what ran over the items of a dataset, or over items that a client holds, and in which traces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PREFIX = "langfuse.experiment."
EXPERIMENT_METADATA = "langfuse.experiment.metadata"
ITEM_METADATA = "langfuse.experiment.item.metadata"
# Where an item's observation keeps which evaluators gave it no score: JSON, {evaluator: {version, status, reason}}.
UNSCORED_METADATA = "heliograph.unscored"

# Until when what was sent to deleted experiments no longer counts, by their ids.
Cuts = Mapping[str, datetime]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment, as the observations of a period tell it; '' means absent."""

    id: str
    name: str
    dataset_id: str
    start_time: datetime
    end_time: datetime
    item_count: int
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Activity:
    """Where an experiment stands in the order of the latest activity: the next page begins after it."""

    end_time: datetime
    id: str


@dataclass(frozen=True, kw_only=True)
class DatasetRun:
    """One run over a dataset, which a client reported or which is an experiment."""

    id: str
    dataset_id: str
    name: str
    description: str | None
    metadata: Any
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class DatasetRunItem:
    """An item of a run, and where it ran; without an observation it is the whole trace."""

    id: str
    run_id: str
    run_name: str
    dataset_item_id: str
    trace_id: str
    observation_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class RanItem:
    """An item that was reported to have run, with what is known of it as the spans of experiments tell it.

    Args:
        id: of the report.
        trace_id: where it ran.
        observation_id: the observation in it; '' means the whole trace.
        at: when it was reported, unless the client named a time.
        metadata: of the experiment and of the item, by the keys of spans.
    """

    id: str
    trace_id: str
    observation_id: str
    at: datetime
    metadata: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ReportedItem:
    """What a client says of an item that ran; `dataset_version` is the moment whose items it ran on."""

    run_name: str
    dataset_item_id: str
    trace_id: str
    observation_id: str = ""
    run_description: str | None = None
    metadata: Any = None
    dataset_version: datetime | None = None
    created_at: datetime | None = None
