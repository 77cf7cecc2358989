"""What evaluations leave behind and is no longer kept is removed; their scores and traces stay."""

from datetime import UTC, datetime, timedelta

from heliograph.domain.evaluation_jobs import KEPT
from heliograph.settings import Settings
from storage.postgres.connection import opened
from storage.postgres.expired_evaluations import ExpiredEvaluations

EVERY_SECONDS = 300.0


async def remove_expired_evaluations(settings: Settings) -> dict[str, int] | None:
    """Remove jobs that ended, and answers that were given, too long ago; how many, if any. Raises Unavailable."""
    now = datetime.now(UTC)
    answered = now - timedelta(days=settings.evaluation.answers_kept_days)
    async with opened(settings.postgres_dsn) as database:
        expired = ExpiredEvaluations(database)
        jobs = sum([count async for count in expired.jobs(now - KEPT)])
        answers = sum([count async for count in expired.answers(answered)])
    return {"jobs": jobs, "answers": answers} if jobs or answers else None
