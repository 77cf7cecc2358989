"""What many scores say together: sums that ClickHouse takes over all of them, made into figures with intervals."""

import asyncio

from evals.analytics import agreement, distributions
from evals.analytics.agreement import Ratings
from evals.analytics.calibration import calibration
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_analytics import (
    Agreement,
    AgreementQuestion,
    Calibration,
    CalibrationQuestion,
    Distribution,
    DistributionQuestion,
    Trend,
    TrendQuestion,
)
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.score_analytics.agreements import ScoreAgreements
from storage.clickhouse.score_analytics.distributions import ScoreDistributions


class ScoreAnalytics:
    """The figures of one project; each raises InvalidRequest when a condition cannot be asked, and Unavailable."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse, self._project_id = clickhouse, project_id
        self._distributions = ScoreDistributions(clickhouse, project_id)

    async def distribution(self, asked: DistributionQuestion) -> Distribution:
        """How the scores of a name are distributed, each version of an evaluator by itself."""
        scores = self._distributions
        versions, labels, bins = await asyncio.gather(scores.versions(asked), scores.labels(asked), scores.bins(asked))
        return distributions.distribution(asked.name, versions=versions, labels=labels, bins=bins)

    async def trend(self, asked: TrendQuestion) -> Trend:
        """How scores go over time, name by name and version by version."""
        return distributions.trend(await self._distributions.trend(asked))

    async def agreement(self, asked: AgreementQuestion) -> Agreement:
        """How far raters agree: all of them together, and pair by pair where there are two."""
        scores = self._agreements(asked)
        disagreement, by_version, together = await asyncio.gather(
            scores.disagreement(), _ratings(scores, by_version=True), _ratings(scores, by_version=False)
        )
        versions = by_version.rated.num_rows
        alpha = agreement.alphas(
            disagreement, targets=await scores.targets(), mixes_versions=versions > together.rated.num_rows
        )
        is_pair = len(asked.raters) == 2
        pairs = agreement.pairs(by_version, together, categories=asked.categories) if is_pair else ()
        return Agreement(pairs=pairs, alpha=alpha)

    async def calibration(self, asked: CalibrationQuestion) -> Calibration:
        """How far a judge agrees with people, and what its verdicts say of everything that it judged."""
        scores = self._agreements(asked.agreement)
        by_version, verdicts = await asyncio.gather(_ratings(scores, by_version=True), scores.verdicts())
        return calibration(agreement.pairs(by_version, by_version), verdicts)

    def _agreements(self, asked: AgreementQuestion) -> ScoreAgreements:
        return ScoreAgreements(self._clickhouse, self._project_id, asked)


async def _ratings(scores: ScoreAgreements, *, by_version: bool) -> Ratings:
    tables = await asyncio.gather(
        scores.rated(by_version=by_version), scores.cells(by_version=by_version), scores.numbers(by_version=by_version)
    )
    return Ratings(*tables)
