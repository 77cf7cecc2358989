"""A score: what an evaluator, a person or a client says about a trace, an observation, a session or an experiment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import pyarrow as pa

from heliograph.domain.plain_rows import plain_rows

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ScoreDataType(StrEnum):
    """How a score's value is to be read."""

    NUMERIC = "NUMERIC"
    BOOLEAN = "BOOLEAN"
    CATEGORICAL = "CATEGORICAL"
    TEXT = "TEXT"
    CORRECTION = "CORRECTION"


@dataclass(frozen=True, slots=True)
class Score:
    """A row of `scores`; '' means absent."""

    id: str
    project_id: str = ""
    timestamp: datetime = _EPOCH
    name: str = ""
    data_type: str = ScoreDataType.NUMERIC
    source: str = "API"
    value: float = 0.0
    string_value: str = ""
    long_string_value: str = ""
    trace_id: str = ""
    observation_id: str = ""
    session_id: str = ""
    dataset_run_id: str = ""
    environment: str = "default"
    comment: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    author_user_id: str = ""
    config_id: str = ""
    queue_id: str = ""
    execution_trace_id: str = ""
    evaluator_version: str = ""
    ingestion_api_key: str = ""
    ingestion_sdk_name: str = ""
    ingestion_sdk_version: str = ""
    created_at: datetime = _EPOCH
    updated_at: datetime = _EPOCH


def scores_from(rows: pa.Table) -> Iterator[Score]:
    """The scores of a table whose columns are named like the fields."""
    return (Score(**row) for row in plain_rows(rows))
