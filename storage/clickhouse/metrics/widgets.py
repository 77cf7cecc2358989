"""What widgets of dashboards may ask, and their answers."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from heliograph.domain import ingestion_health
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.metrics import MetricsQuery, ViewName
from heliograph.domain.widgets import WidgetDefinition
from storage.clickhouse.columns import Kind
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.metrics.catalogue import Amount
from storage.clickhouse.metrics.compiler import compile_query
from storage.clickhouse.metrics.reader import Metrics
from storage.clickhouse.metrics.views import WIDGETS

_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def checked_widget(definition: WidgetDefinition) -> WidgetDefinition:
    """The same widget; raises InvalidRequest when what it asks does not exist or cannot be combined."""
    query = definition.query(_SOME_TIME, _SOME_TIME + timedelta(days=1))
    if query.view is ViewName.INGESTION:
        ingestion_health.check(query)
    else:
        compile_query(query, WIDGETS, "")
    return definition


def measures_of(view: ViewName) -> list[str]:
    """What a view has figures of."""
    return list(ingestion_health.MEASURES if view is ViewName.INGESTION else WIDGETS.views[view].measures)


def is_of_texts(view: ViewName, measure: str) -> bool:
    """Whether a measure can only be counted."""
    return view is not ViewName.INGESTION and WIDGETS.views[view].measures[measure].amount is Amount.TEXT


def dimensions_of(view: ViewName) -> list[str]:
    """What a view can be grouped by."""
    return list(ingestion_health.DIMENSIONS if view is ViewName.INGESTION else WIDGETS.views[view].dimensions)


def text_filters_of(view: ViewName) -> list[str]:
    """The columns of a view whose texts can be compared."""
    if view is ViewName.INGESTION:
        return []
    dimensions = WIDGETS.views[view].dimensions.items()
    return [name for name, each in dimensions if (each.asked or each.column).kind is Kind.TEXT]


def applicable(view: ViewName, conditions: Iterable[Condition]) -> list[Condition]:
    """Those conditions whose columns a view has: what is common to a dashboard narrows only what knows it."""
    if view is ViewName.INGESTION:
        return []
    known = WIDGETS.views[view]
    return [each for each in conditions if each.column in known.dimensions or each.column in known.filters]


class WidgetFigures:
    """The answers to the widgets of one project; each is one aggregation in ClickHouse."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._metrics = Metrics(clickhouse, project_id)

    async def table(self, query: MetricsQuery) -> pa.Table:
        """Columns: `time_dimension` if it is over time, the dimensions by name, and the metrics by theirs.

        Raises:
            InvalidRequest: what is asked does not exist, cannot be combined, or has too many steps of time.
            QueryTooExpensive: there are too many groups or rows, or the server ran out of memory or time.
        """
        if query.view is ViewName.INGESTION:
            raise InvalidRequest("view", "what lanes measure is not stored: ask their history")
        return await self._metrics.table(query, WIDGETS)
