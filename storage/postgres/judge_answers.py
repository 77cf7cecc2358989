"""What judges have answered, by the hash of what they were asked: kept for a while, for every worker of a project."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.errors import Unavailable
from heliograph.domain.evaluators import Answer, Spending
from heliograph.domain.identifiers import ProjectId
from heliograph.gathered import Gathered
from storage.postgres.connection import Database
from storage.postgres.tables.model_answers import JudgeAnswerRow

_AT_ONCE = 1_000


class JudgeAnswers:
    """The answers of one project; what is asked or kept at about the same time is one statement.

    While PostgreSQL is away nothing is known, and nothing is kept.

    Args:
        database: where they are.
        project_id: of the project.
        since: older ones are not known.
    """

    def __init__(self, database: Database, project_id: ProjectId, since: datetime) -> None:
        self._database, self._project_id, self._since = database, project_id, since
        self._read, self._kept = Gathered(self._find), Gathered(self._keep)

    async def get(self, key: str) -> Answer | None:
        """A known answer."""
        try:
            return await self._read.of(key)
        except Unavailable:
            return None

    async def put(self, key: str, answer: Answer) -> None:
        """Return when it is kept."""
        try:
            await self._kept.of((key, answer))
        except Unavailable:
            return

    async def _find(self, keys: Sequence[str]) -> Mapping[str, Answer]:
        row = JudgeAnswerRow
        query = select(row.key, row.answer).where(
            row.project_id == self._project_id, row.key.in_(keys), row.created_at >= self._since
        )
        async with self._database.transaction() as session:
            return {key: answer_of(document) for key, document in (await session.execute(query)).all()}

    async def _keep(self, answers: Sequence[tuple[str, Answer]]) -> Mapping[tuple[str, Answer], None]:
        documents = {key: document_of(answer) for key, answer in answers}
        rows = [{"project_id": self._project_id, "key": key, "answer": one} for key, one in documents.items()]
        async with self._database.transaction() as session:
            for start in range(0, len(rows), _AT_ONCE):
                keeping = insert(JudgeAnswerRow).values(rows[start : start + _AT_ONCE])
                latest = {"answer": keeping.excluded.answer, "created_at": func.now()}
                await session.execute(keeping.on_conflict_do_update(index_elements=["project_id", "key"], set_=latest))
        return {}


def document_of(answer: Answer) -> dict[str, Any]:
    """An answer as plain values."""
    return asdict(answer)


def answer_of(document: Mapping[str, Any]) -> Answer:
    """The inverse of `document_of`."""
    return Answer(**{**document, "spending": Spending(**document["spending"])})
