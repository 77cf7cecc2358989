"""Figures as the API shows them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypeAliasType

from serve_apps.api.shapes.values import JsonShape

Figure = str | float | bool | Sequence[Sequence[float]] | None
FiguresShape = TypeAliasType(
    "FiguresShape",
    Annotated[
        dict[str, Figure],
        Field(
            description=(
                "One group: each dimension by its name, `time_dimension`, and each figure as `aggregation_measure`. "
                "Sums of counts are text, a histogram is a list of [low, high, height]."
            ),
            examples=[{"name": "answer", "time_dimension": "2026-05-04", "count_count": "12", "p95_latency": 812.5}],
        ),
    ],
)


class ModelUsageShape(JsonShape):
    """What was used of one model on a day; null stands for calls without one. Cost in US dollars."""

    model: str | None
    inputUsage: int
    outputUsage: int
    totalUsage: int
    countObservations: int
    countTraces: int
    totalCost: float


class DayShape(JsonShape):
    """The figures of a day (UTC); cost in US dollars."""

    date: str
    countTraces: int
    countObservations: int
    totalCost: float
    usage: Sequence[ModelUsageShape]


def day_shape(day: Mapping[str, Any], usage: Sequence[Mapping[str, Any]]) -> DayShape:
    """The contract's day."""
    return {
        "date": day["date"].isoformat(),
        "countTraces": day["traces"],
        "countObservations": day["observations"],
        "totalCost": day["cost"],
        "usage": [_model_usage(each) for each in usage],
    }


def _model_usage(row: Mapping[str, Any]) -> ModelUsageShape:
    return {
        "model": row["model"] or None,
        "inputUsage": row["input"],
        "outputUsage": row["output"],
        "totalUsage": row["total"],
        "countObservations": row["observations"],
        "countTraces": row["traces"],
        "totalCost": row["cost"],
    }
