"""Datasets: named collections of items, each of which keeps all of its versions, and the runs over them."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from heliograph.domain.errors import InvalidRequest

MAX_NAME = 255
MAX_ITEM_ID = 255
_MARKUP = re.compile(r"<[^>]*>")
_RUN_ID_LENGTH = 16


class ItemStatus(StrEnum):
    """Whether an item is in use."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, kw_only=True)
class NewDataset:
    """A dataset that is created, or changed when there is one of that name; None keeps what there is."""

    name: str
    description: str | None = None
    metadata: Any = None
    input_schema: Any = None
    expected_output_schema: Any = None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One dataset; the schemas are JSON schemas that its items meet, or None."""

    id: str
    project_id: str
    name: str
    description: str | None
    metadata: Any
    input_schema: Any
    expected_output_schema: Any
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class ItemChange:
    """An item that is created, or changed when there is one of that id; '' is a new one, None keeps what there is."""

    id: str = ""
    input: Any = None
    expected_output: Any = None
    metadata: Any = None
    source_trace_id: str | None = None
    source_observation_id: str | None = None
    status: ItemStatus | None = None


@dataclass(frozen=True, kw_only=True)
class DatasetItem:
    """One version of an item: `valid_from` is when it became the current one."""

    id: str
    dataset_id: str
    dataset_name: str
    status: ItemStatus
    input: Any
    expected_output: Any
    metadata: Any
    source_trace_id: str | None
    source_observation_id: str | None
    created_at: datetime
    valid_from: datetime


@dataclass(frozen=True, kw_only=True)
class ItemFilter:
    """Which items a list is made of; what is None is not asked for. `version` is the moment whose items are meant."""

    dataset_name: str | None = None
    source_trace_id: str | None = None
    source_observation_id: str | None = None
    status: ItemStatus | None = None
    version: datetime | None = None


def check_name(name: str) -> None:
    """Raise InvalidRequest unless it may be a dataset's name; slashes make folders."""
    if not name.strip() or len(name) > MAX_NAME:
        raise InvalidRequest("name", f"has 1 to {MAX_NAME} characters")
    if "|" in name or _MARKUP.search(name):
        raise InvalidRequest("name", "contains neither | nor markup")
    if name.startswith("/") or name.endswith("/") or "//" in name:
        raise InvalidRequest("name", "slashes stand between the names of folders: none first, last or twice")


def run_id(project_id: str, dataset_id: str, run_name: str) -> str:
    """The id of a run, which SDKs also make for the experiment that they run on a dataset."""
    named = ["langfuse-experiment-v1", project_id, dataset_id, run_name]
    text = json.dumps(named, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_RUN_ID_LENGTH]
