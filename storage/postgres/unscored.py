"""Evaluations that gave no score: how many failed or were skipped, in runs and under rules."""

from collections.abc import Sequence

from sqlalchemy import text

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_analytics import ScoreScope, Unscored
from storage.postgres.connection import Database

_DAY_SECONDS = 86_400
# Both forms have the evaluator's name, the version, when, and how many failed and were skipped.
_COUNT = text("""
    WITH evaluated AS (
        SELECT evaluator.name, job.evaluator_version AS version, job.finished_at AS ended_at,
            (job.status = 'ERROR')::int AS failed, (job.status = 'SKIPPED')::int AS skipped
        FROM evaluation_jobs job JOIN evaluators evaluator ON evaluator.id = job.evaluator_id
        WHERE job.project_id = :project AND job.finished_at IS NOT NULL AND job.status IN ('ERROR', 'SKIPPED')
            AND evaluator.name = ANY(:names)
        UNION ALL
        SELECT counted.key, coalesce(spec.version, ''), run.started_at,
            coalesce((counted.value ->> 'failed')::int, 0), coalesce((counted.value ->> 'skipped')::int, 0)
        FROM evaluation_runs run
        JOIN evaluation_parts part ON part.run_id = run.id
        CROSS JOIN LATERAL jsonb_each(coalesce(part.report -> 'counts', '{}'::jsonb)) counted
        LEFT JOIN LATERAL (
            SELECT one ->> 'version' AS version FROM jsonb_array_elements(run.evaluators) one
            WHERE coalesce(nullif(one ->> 'score', ''), one ->> 'name') = counted.key LIMIT 1
        ) spec ON true
        WHERE run.project_id = :project AND run.started_at IS NOT NULL AND counted.key = ANY(:names)
    )
    SELECT name, version, to_timestamp(floor(extract(epoch FROM ended_at) / :seconds) * :seconds) AS time,
        sum(failed) AS failed, sum(skipped) AS skipped
    FROM evaluated
    WHERE (CAST(:since AS timestamptz) IS NULL OR ended_at >= :since)
        AND (CAST(:until AS timestamptz) IS NULL OR ended_at < :until)
    GROUP BY 1, 2, 3 HAVING sum(failed) + sum(skipped) > 0
""")


class UnscoredEvaluations:
    """Those of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database, self._project_id = database, project_id

    async def count(
        self, names: Sequence[str], scope: ScoreScope, *, interval_seconds: int = _DAY_SECONDS
    ) -> list[Unscored]:
        """Those of these scores in a period, by interval; raises Unavailable.

        A condition on scores narrows nothing here: what it is about has none.
        """
        bound = {
            "project": self._project_id, "names": list(names), "seconds": interval_seconds,
            "since": scope.since, "until": scope.until,
        }  # fmt: skip
        async with self._database.transaction() as session:
            rows = (await session.execute(_COUNT, bound)).all()
        return [Unscored(row.name, row.version, row.time, int(row.failed), int(row.skipped)) for row in rows]
