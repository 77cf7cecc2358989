"""What the page of score analytics asks."""

import asyncio
from dataclasses import dataclass

import pyarrow as pa

from dashboard.queries.periods import within
from dashboard.state import Period, ScoreComparison
from heliograph.domain.filters import equals
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_analytics import (
    Agreement,
    AgreementQuestion,
    Calibration,
    CalibrationQuestion,
    Distribution,
    DistributionQuestion,
    Match,
    Rater,
    Trend,
    TrendQuestion,
)
from pipelines.score_analytics import ScoreAnalytics
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.score_figures import ScoreFigures
from storage.postgres.connection import Database

BINS = 20


@dataclass(frozen=True)
class Analysed:
    """What the scores of a name say, and how far they agree with those of another where one is named."""

    distribution: Distribution
    trend: Trend
    agreement: Agreement | None = None
    calibration: Calibration | None = None


class ScoreAnalyticsQueries:
    """The questions about all scores of one project together."""

    def __init__(self, clickhouse: ClickHouse, database: Database, project_id: ProjectId) -> None:
        self._analytics = ScoreAnalytics(clickhouse, database, project_id)
        self._figures = ScoreFigures(clickhouse, project_id)

    async def names(self, period: Period, environment: str) -> pa.Table:
        """The names of the period's scores: columns name, data_type, n."""
        return await self._figures.names(within("timestamp", period, environment))

    async def analysed(self, period: Period, environment: str, wanted: ScoreComparison) -> Analysed:
        """The figures of the wanted scores; every one says on how many it stands."""
        scope = {
            "since": period.after, "until": period.before,
            "where": equals("environment", environment) if environment else None,
        }  # fmt: skip
        seconds = int(period.bucket.total_seconds())
        distribution, trend = await asyncio.gather(
            self._analytics.distribution(DistributionQuestion(name=wanted.score, bins=BINS, **scope)),
            self._analytics.trend(TrendQuestion(names=(wanted.score,), interval_seconds=seconds, **scope)),
        )
        if not wanted.truth:
            return Analysed(distribution, trend)
        judge = Rater(name=wanted.score, source=wanted.source or None)
        human = Rater(name=wanted.truth, source=wanted.truth_source or None)
        match = Match(wanted.match)
        agreement, calibration = await asyncio.gather(
            self._analytics.agreement(AgreementQuestion(raters=(human, judge), match=match, **scope)),
            self._analytics.calibration(CalibrationQuestion(judge=judge, human=human, match=match, **scope)),
        )
        return Analysed(distribution, trend, agreement, calibration)
