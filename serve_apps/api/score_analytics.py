"""What many scores say together: distributions, trends, agreement of raters, and how far a judge can be trusted."""

from typing import Annotated

from fastapi import APIRouter, Depends

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
from pipelines.score_analytics import ScoreAnalytics
from serve_apps.api.answers import Answer, wire_answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.authentication import ProjectPrincipal

router = APIRouter(prefix="/score-analytics", tags=["score-analytics"])


async def _analytics(dependencies: Dependencies, principal: ProjectPrincipal) -> ScoreAnalytics:
    return ScoreAnalytics(dependencies.clickhouse, dependencies.database, principal.project_id)


ProjectAnalytics = Annotated[ScoreAnalytics, Depends(_analytics)]


@router.post("/distribution")
async def score_distribution(asked: DistributionQuestion, analytics: ProjectAnalytics) -> Answer[Distribution]:
    """How the scores of a name are distributed, each version of an evaluator by itself."""
    return wire_answer(await analytics.distribution(asked))


@router.post("/trend")
async def score_trend(asked: TrendQuestion, analytics: ProjectAnalytics) -> Answer[Trend]:
    """How scores go over time, name by name and version by version."""
    return wire_answer(await analytics.trend(asked))


@router.post("/agreement")
async def score_agreement(asked: AgreementQuestion, analytics: ProjectAnalytics) -> Answer[Agreement]:
    """How far raters agree: all of them together, and pair by pair where there are two."""
    return wire_answer(await analytics.agreement(asked))


@router.post("/calibration")
async def judge_calibration(asked: CalibrationQuestion, analytics: ProjectAnalytics) -> Answer[Calibration]:
    """How far a judge agrees with people, and what its verdicts say of everything that it judged."""
    return wire_answer(await analytics.calibration(asked))
