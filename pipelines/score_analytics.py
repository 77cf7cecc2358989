"""What many scores say together: sums that ClickHouse takes over all of them, made into figures with intervals."""

import asyncio
from collections import Counter

from evals.analytics import agreement, distributions
from evals.analytics.agreement import Failed, Ratings
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
from storage.postgres.connection import Database
from storage.postgres.unscored import UnscoredEvaluations


class ScoreAnalytics:
    """The figures of one project; each raises InvalidRequest when a condition cannot be asked, and Unavailable."""

    def __init__(self, clickhouse: ClickHouse, database: Database, project_id: ProjectId) -> None:
        self._clickhouse, self._project_id = clickhouse, project_id
        self._unscored = UnscoredEvaluations(database, project_id)
        self._distributions = ScoreDistributions(clickhouse, project_id)

    async def distribution(self, asked: DistributionQuestion) -> Distribution:
        """How the scores of a name are distributed, each version of an evaluator by itself."""
        scores = self._distributions
        versions, labels, bins, unscored = await asyncio.gather(
            scores.versions(asked), scores.labels(asked), scores.bins(asked), self._unscored.count([asked.name], asked)
        )
        return distributions.distribution(
            asked.name, versions=versions, labels=labels, bins=bins, unscored=unscored
        )  # fmt: skip

    async def trend(self, asked: TrendQuestion) -> Trend:
        """How scores go over time, name by name and version by version."""
        points, unscored = await asyncio.gather(
            self._distributions.trend(asked),
            self._unscored.count(asked.names, asked, interval_seconds=asked.interval_seconds),
        )
        return distributions.trend(points, unscored)

    async def agreement(self, asked: AgreementQuestion) -> Agreement:
        """How far raters agree: all of them together, and pair by pair where there are two."""
        scores = self._agreements(asked)
        disagreement, by_version, together, failed = await asyncio.gather(
            scores.disagreement(),
            _ratings(scores, by_version=True),
            _ratings(scores, by_version=False),
            self._failed(asked),
        )
        versions = by_version.rated.num_rows
        alpha = agreement.alphas(
            disagreement,
            targets=await scores.targets(),
            mixes_versions=versions > together.rated.num_rows,
            failed=sum(failed.values()),
        )
        is_pair = len(asked.raters) == 2
        pairs = agreement.pairs(by_version, together, categories=asked.categories, failed=failed) if is_pair else ()
        return Agreement(pairs=pairs, alpha=alpha)

    async def calibration(self, asked: CalibrationQuestion) -> Calibration:
        """How far a judge agrees with people, and what its verdicts say of everything that it judged."""
        scores = self._agreements(asked.agreement)
        by_version, verdicts, failed = await asyncio.gather(
            _ratings(scores, by_version=True), scores.verdicts(), self._failed(asked.agreement)
        )
        return calibration(agreement.pairs(by_version, by_version, failed=failed), verdicts)

    async def _failed(self, asked: AgreementQuestion) -> Failed:
        """How many evaluations of each rater failed, by its place and version: people's ratings do not."""
        names = {one.name for one in asked.raters if one.source in (None, "EVAL")}
        found: Counter[tuple[int, str]] = Counter()
        for one in await self._unscored.count(sorted(names), asked) if names else ():
            for place, rater in enumerate(asked.raters, 1):
                if rater.name == one.name and rater.evaluator_version in (None, one.version):
                    found[place, one.version] += one.failed
        return found

    def _agreements(self, asked: AgreementQuestion) -> ScoreAgreements:
        return ScoreAgreements(self._clickhouse, self._project_id, asked)


async def _ratings(scores: ScoreAgreements, *, by_version: bool) -> Ratings:
    tables = await asyncio.gather(
        scores.rated(by_version=by_version), scores.cells(by_version=by_version), scores.numbers(by_version=by_version)
    )
    return Ratings(*tables)
