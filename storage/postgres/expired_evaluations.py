"""What evaluations leave behind, and is no longer kept: jobs that have ended, and what models have said."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, tuple_

from storage.postgres.connection import Database
from storage.postgres.tables.declarative import Table
from storage.postgres.tables.evaluation_jobs import EvaluationJobRow
from storage.postgres.tables.evaluation_runs import EvaluationRunRow
from storage.postgres.tables.judge_batches import BatchAnswerRow
from storage.postgres.tables.model_answers import EmbeddingRow, JudgeAnswerRow

_AT_ONCE = 5_000


class ExpiredEvaluations:
    """Those of all projects. Each method removes so many rows at a time, and yields how many those were."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def jobs(self, before: datetime) -> AsyncIterator[int]:
        """Jobs that ended before then."""
        async for count in self._removed(EvaluationJobRow, EvaluationJobRow.finished_at < before):
            yield count

    async def answers(self, before: datetime) -> AsyncIterator[int]:
        """Answers of judges, and embeddings, that were given before then; those of batches, if their run had ended."""
        ended = select(EvaluationRunRow.id).where(EvaluationRunRow.finished_at < before)
        expired: Sequence[tuple[type[Table], ColumnElement[bool]]] = (
            (JudgeAnswerRow, JudgeAnswerRow.created_at < before),
            (EmbeddingRow, EmbeddingRow.created_at < before),
            (BatchAnswerRow, BatchAnswerRow.run_id.in_(ended)),
        )
        for row, is_expired in expired:
            async for count in self._removed(row, is_expired):
                yield count

    async def _removed(self, row: type[Table], is_expired: ColumnElement[bool]) -> AsyncIterator[int]:
        key = list(row.__table__.primary_key)
        expired = select(*key).where(is_expired).limit(_AT_ONCE)
        removing = delete(row).where(tuple_(*key).in_(expired.with_for_update(skip_locked=True)))
        while True:
            async with self._database.transaction() as session:
                removed = len((await session.execute(removing.returning(*key))).all())
            if not removed:
                return
            yield removed
