"""What figures of metrics are measured in, and so how they are written."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bokeh.models import CustomJSTickFormatter, NumeralTickFormatter, TickFormatter

from dashboard.components import formats
from heliograph.domain.metrics import Aggregation, Metric


@dataclass(frozen=True)
class Unit:
    """How a figure is written: as text, and at an axis."""

    text: Callable[[float | None], str]
    axis: Callable[[], TickFormatter]


_COUNT = Unit(formats.compact, lambda: NumeralTickFormatter(format=formats.AXIS_COUNT))
_NUMBER = Unit(formats.number, lambda: NumeralTickFormatter(format="0.[000]"))
_COST = Unit(formats.cost, lambda: CustomJSTickFormatter(code=formats.AXIS_COST))
_DURATION = Unit(formats.duration, lambda: CustomJSTickFormatter(code=formats.AXIS_DURATION))
_BYTES = Unit(formats.nbytes, lambda: NumeralTickFormatter(format="0.[0] b"))

_OF_MEASURES = {
    "latency": _DURATION, "streamingLatency": _DURATION, "timeToFirstToken": _DURATION, "oldestUnflushed": _DURATION,
    "insertDuration": _DURATION, "inputCost": _COST, "outputCost": _COST, "totalCost": _COST, "costByType": _COST,
    "backlogBytes": _BYTES, "value": _NUMBER,
}  # fmt: skip
_COUNTS = {Aggregation.COUNT, Aggregation.UNIQ}
_WORDS = {"count": "count", "uniq": "different", "avg": "mean", "sum": "total", "max": "greatest", "min": "least"}


def unit_of(metric: Metric) -> Unit:
    """The unit of a metric; whatever is counted has none."""
    return _COUNT if metric.aggregation in _COUNTS else _OF_MEASURES.get(metric.measure, _COUNT)


def title_of(metric: Metric) -> str:
    """A metric in words: mean latency, total cost."""
    if metric.measure == "count":
        return "count"
    aggregation = _WORDS.get(metric.aggregation, str(metric.aggregation))
    measured = words(metric.measure)
    return measured if measured.startswith(aggregation) else f"{aggregation} {measured}"


def words(name: str) -> str:
    """A name of the language of metrics in words: provided model name."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[1].lower()}", name)
