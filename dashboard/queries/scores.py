"""What the page of scores asks."""

import asyncio
from dataclasses import dataclass

import pyarrow as pa

from dashboard.queries.periods import of_scores
from dashboard.queries.traces import Listed
from dashboard.state import Scope, ScoreList
from heliograph.domain.filters import Condition, Page, equals
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.score_figures import ScoreFigures
from storage.clickhouse.scores import Scores


@dataclass(frozen=True)
class ScorePage:
    """One page of scores, and what all that match say together.

    Attributes:
        names: columns name, data_type, n, mean, last_at, sources, versions; of every name in the period.
        trend: columns time, name, n, mean, deviation.
        versions: columns version, name, time, n.
        histogram: columns start, end, n; of the chosen name, otherwise empty.
        labels: columns label, n; of the chosen name, otherwise empty.
    """

    listed: Listed
    names: pa.Table
    trend: pa.Table
    versions: pa.Table
    histogram: pa.Table
    labels: pa.Table


class ScoreQueries:
    """The questions about the scores of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._scores = Scores(clickhouse, project_id)
        self._figures = ScoreFigures(clickhouse, project_id)

    async def page(self, scope: Scope, wanted: ScoreList) -> ScorePage:
        """The wanted page of the list of scores with the figures of all that match."""
        span = of_scores(scope)
        conditions = [*span, *score_conditions(wanted)]
        listed, names, trend, versions, histogram, labels = await asyncio.gather(
            self._scores.search_and_count(conditions, Page(wanted.page, wanted.size)),
            self._figures.names(span),
            self._figures.trend(conditions, scope.period().bucket),
            self._figures.versions(conditions),
            self._figures.histogram(conditions),
            self._figures.labels(conditions),
        )
        return ScorePage(Listed(*listed), names, trend, versions, histogram, labels)


def score_conditions(wanted: ScoreList) -> list[Condition]:
    """The filters of the page in the readers' language; empty ones are left out."""
    chosen = {"name": wanted.score, "source": wanted.source, "dataType": wanted.kind}
    return [equals(column, text) for column, text in chosen.items() if text]
