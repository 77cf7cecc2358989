"""The views of each generation of the API."""

from collections.abc import Mapping
from dataclasses import dataclass

from heliograph.domain.metrics import ViewName
from storage.clickhouse.columns import Column, Kind
from storage.clickhouse.metrics import score_views
from storage.clickhouse.metrics.catalogue import COUNT, Amount, Dimension, Measure, View, distinct, month, text
from storage.clickhouse.metrics.observation_view import OBSERVATIONS_V1, OBSERVATIONS_V2

_TRACES = View(
    table="traces",
    time="timestamp",
    dimensions={
        "id": text("id", has_many_values=True),
        "name": text("name"),
        "tags": Dimension(Column("tags", Kind.TEXTS)),
        "userId": text("user_id", has_many_values=True),
        "sessionId": text("session_id", has_many_values=True),
        "release": text("release"),
        "version": text("version"),
        "environment": text("environment"),
        "timestampMonth": month("timestamp"),
    },
    measures={
        "count": COUNT,
        "observationsCount": Measure("toUInt64(observation_count)"),
        "scoresCount": Measure("toUInt64(score_count)"),
        "uniqueUserIds": distinct("user_id"),
        "uniqueSessionIds": distinct("session_id"),
        "latency": Measure("latency_ms"),
        "totalTokens": Measure("total_tokens"),
        "totalCost": Measure("total_cost", Amount.MONEY),
    },
    filters={
        "timestamp": Column("timestamp", Kind.TIME),
        "traceName": Column("name", Kind.TEXT),
        "metadata": Column("metadata", Kind.JSON_MAP),
    },
)


@dataclass(frozen=True)
class Generation:
    """What one generation of the API can be asked.

    Args:
        views: by name.
        default_rows: how many rows an answer has unless a limit is set; None: as many as there are.
        guards_many_values: whether dimensions of many values need a limit and an order.
    """

    views: Mapping[ViewName, View]
    default_rows: int | None = None
    guards_many_values: bool = False


FIRST = Generation(
    {
        ViewName.TRACES: _TRACES,
        ViewName.OBSERVATIONS: OBSERVATIONS_V1,
        ViewName.NUMERIC_SCORES: score_views.NUMERIC_V1,
        ViewName.CATEGORICAL_SCORES: score_views.CATEGORICAL_V1,
        ViewName.BOOLEAN_SCORES: score_views.BOOLEAN_V1,
    }
)
SECOND = Generation(
    {
        ViewName.OBSERVATIONS: OBSERVATIONS_V2,
        ViewName.NUMERIC_SCORES: score_views.NUMERIC_V2,
        ViewName.CATEGORICAL_SCORES: score_views.CATEGORICAL_V2,
        ViewName.BOOLEAN_SCORES: score_views.BOOLEAN_V2,
    },
    default_rows=100,
    guards_many_values=True,
)
# What widgets of dashboards ask: traces as they are rolled up, and everything else as the newer generation has it.
WIDGETS = Generation(dict(SECOND.views) | {ViewName.TRACES: _TRACES}, guards_many_values=True)
