"""Metrics of a project: the query language in both API generations, and figures of days."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from heliograph.domain import filters, metrics
from heliograph.domain.filters import Condition
from heliograph.domain.metrics import MetricsQuery
from serve_apps.api import parameters
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import ProjectDailyMetrics, ProjectMetrics
from serve_apps.api.shapes.lists import ListOf, PageOf
from serve_apps.api.shapes.metrics import DayShape, FiguresShape, day_shape
from storage.clickhouse.metrics.views import FIRST, SECOND

router = APIRouter(tags=["metrics"])


class AskedMetrics(parameters.Parameters):
    """A query as JSON."""

    query: str

    @property
    def parsed(self) -> MetricsQuery:
        """The query; raises RequestValidationError or InvalidRequest."""
        parameters.require_short("query", self.query)
        try:
            return metrics.parse(self.query)
        except ValidationError as error:
            raise RequestValidationError(parameters.issues(error, "query")) from None


class AskedDays(parameters.Paged):
    """Which traces, and which page of their days."""

    trace_name: str = ""
    user_id: str = ""
    tags: list[str] = Field(default_factory=list)
    environment: list[str] = Field(default_factory=list)
    from_timestamp: parameters.Moment = None
    to_timestamp: parameters.Moment = None

    @property
    def conditions(self) -> list[Condition]:
        """All that a trace must meet."""
        simple = parameters.equalities(name=self.trace_name, userId=self.user_id)
        tags = [filters.holds_all("tags", self.tags)] if self.tags else []
        environments = [filters.one_of("environment", self.environment)] if self.environment else []
        return [*simple, *tags, *environments, *parameters.period("timestamp", self.from_timestamp, self.to_timestamp)]


@router.get("/metrics")
async def query_metrics(
    asked: Annotated[AskedMetrics, Query()], reader: ProjectMetrics
) -> Answer[ListOf[FiguresShape]]:
    """Figures of traces, observations or scores, in the first generation."""
    return answer({"data": await reader.query(asked.parsed, FIRST)})


@router.get("/v2/metrics")
async def query_metrics_v2(
    asked: Annotated[AskedMetrics, Query()], reader: ProjectMetrics
) -> Answer[ListOf[FiguresShape]]:
    """Figures of observations or scores, in the second generation."""
    return answer({"data": await reader.query(asked.parsed, SECOND)})


@router.get("/metrics/daily")
async def daily_metrics(asked: Annotated[AskedDays, Query()], reader: ProjectDailyMetrics) -> Answer[PageOf[DayShape]]:
    """One page of days, the latest first."""
    page = asked.asked_page
    found = await reader.page(asked.conditions, page)
    return page_answer([day_shape(day, found.usage[day["date"]]) for day in found.days], page, found.total)
