"""What evaluations leave behind, and is no longer kept: jobs that have ended, and what models have said."""

from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from storage.postgres.connection import Database
from storage.postgres.tables.declarative import Table
from storage.postgres.tables.evaluation_jobs import EvaluationJobRow
from storage.postgres.tables.model_answers import EmbeddingRow, JudgeAnswerRow

_AT_ONCE = 5_000


class ExpiredEvaluations:
    """Those of all projects. Each method removes so many rows at a time, and yields how many those were."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def jobs(self, before: datetime) -> AsyncIterator[int]:
        """Jobs that ended before then."""
        async for count in self._removed(EvaluationJobRow, EvaluationJobRow.finished_at, before):
            yield count

    async def answers(self, before: datetime) -> AsyncIterator[int]:
        """Answers of judges, and embeddings, that were given before then."""
        for row in (JudgeAnswerRow, EmbeddingRow):
            async for count in self._removed(row, row.created_at, before):
                yield count

    async def _removed(
        self, row: type[Table], time: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
        before: datetime,
    ) -> AsyncIterator[int]:  # fmt: skip
        key = list(row.__table__.primary_key)
        expired = select(*key).where(time < before).order_by(time).limit(_AT_ONCE)
        removing = delete(row).where(tuple_(*key).in_(expired.with_for_update(skip_locked=True)))
        while True:
            async with self._database.transaction() as session:
                removed = len((await session.execute(removing.returning(*key))).all())
            if not removed:
                return
            yield removed
