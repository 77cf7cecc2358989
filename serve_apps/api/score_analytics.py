"""What many scores say together: distributions, trends, agreement of raters, and how far a judge can be trusted."""

import asyncio
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Response

from evals.analytics import agreement, distributions
from evals.analytics.agreement import Ratings
from evals.analytics.calibration import calibration
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_analytics import (
    Agreement,
    AgreementQuestion,
    CalibrationQuestion,
    DistributionQuestion,
    TrendQuestion,
)
from serve_apps.api.answers import wire_answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.authentication import ProjectPrincipal
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.score_analytics.agreements import ScoreAgreements
from storage.clickhouse.score_analytics.distributions import ScoreDistributions

router = APIRouter(prefix="/score-analytics", tags=["score-analytics"])


class Reads(NamedTuple):
    """Where the caller's scores are read."""

    clickhouse: ClickHouse
    project_id: ProjectId

    @property
    def distributions(self) -> ScoreDistributions:
        """By values and times."""
        return ScoreDistributions(self.clickhouse, self.project_id)

    def agreements(self, asked: AgreementQuestion) -> ScoreAgreements:
        """By what raters said of the same."""
        return ScoreAgreements(self.clickhouse, self.project_id, asked)


async def _reads(dependencies: Dependencies, principal: ProjectPrincipal) -> Reads:
    return Reads(dependencies.clickhouse, principal.project_id)


ProjectReads = Annotated[Reads, Depends(_reads)]


@router.post("/distribution")
async def score_distribution(asked: DistributionQuestion, reads: ProjectReads) -> Response:
    """How the scores of a name are distributed, each version of an evaluator by itself."""
    scores = reads.distributions
    versions, labels, bins = await asyncio.gather(scores.versions(asked), scores.labels(asked), scores.bins(asked))
    return wire_answer(distributions.distribution(asked.name, versions=versions, labels=labels, bins=bins))


@router.post("/trend")
async def score_trend(asked: TrendQuestion, reads: ProjectReads) -> Response:
    """How scores go over time, name by name and version by version."""
    return wire_answer(distributions.trend(await reads.distributions.trend(asked)))


@router.post("/agreement")
async def score_agreement(asked: AgreementQuestion, reads: ProjectReads) -> Response:
    """How far raters agree: all of them together, and pair by pair where there are two."""
    scores = reads.agreements(asked)
    disagreement, by_version, together = await asyncio.gather(
        scores.disagreement(), _ratings(scores, by_version=True), _ratings(scores, by_version=False)
    )
    versions = by_version.rated.num_rows
    alpha = agreement.alphas(
        disagreement, targets=await scores.targets(), mixes_versions=versions > together.rated.num_rows
    )
    is_pair = len(asked.raters) == 2
    pairs = agreement.pairs(by_version, together, categories=asked.categories) if is_pair else ()
    return wire_answer(Agreement(pairs=pairs, alpha=alpha))


@router.post("/calibration")
async def judge_calibration(asked: CalibrationQuestion, reads: ProjectReads) -> Response:
    """How far a judge agrees with people, and what its verdicts say of everything that it judged."""
    scores = reads.agreements(asked.agreement)
    by_version, verdicts = await asyncio.gather(_ratings(scores, by_version=True), scores.verdicts())
    return wire_answer(calibration(agreement.pairs(by_version, by_version), verdicts))


async def _ratings(scores: ScoreAgreements, *, by_version: bool) -> Ratings:
    tables = await asyncio.gather(
        scores.rated(by_version=by_version), scores.cells(by_version=by_version), scores.numbers(by_version=by_version)
    )
    return Ratings(*tables)
