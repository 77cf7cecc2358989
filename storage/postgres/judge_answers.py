"""What judges have answered, by the hash of what they were asked: kept for a while, for every worker of a project."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from heliograph.domain.errors import Unavailable
from heliograph.domain.evaluators import Answer, Spending
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.wire import storable
from heliograph.gathered import Gathered
from storage.postgres.connection import Database
from storage.postgres.model_answers import keep_latest
from storage.postgres.tables.model_answers import JudgeAnswerRow

# A statement for each answer would cost as much of a core as asking for it; a judge takes longer than this to answer.
_GATHERING_SECONDS = 0.04
_KEPT_AFTER_SECONDS = 0.25


class JudgeAnswers:
    """The answers of one project; what is asked or kept at about the same time is one statement.

    While PostgreSQL is away nothing is known, and nothing is kept. Nobody waits for an answer to be kept: what a kill
    loses of the last moment is asked again.

    Args:
        database: where they are.
        project_id: of the project.
        since: older ones are not known.
    """

    def __init__(self, database: Database, project_id: ProjectId, since: datetime) -> None:
        self._database, self._project_id, self._since = database, project_id, since
        self._read = Gathered(self._find, seconds=_GATHERING_SECONDS)
        self._unkept: dict[str, Answer] = {}
        self._keeping: asyncio.Task[None] | None = None

    async def get(self, key: str) -> Answer | None:
        """A known answer."""
        if key in self._unkept:
            return self._unkept[key]
        try:
            return await self._read.of(key)
        except Unavailable:
            return None

    async def put(self, key: str, answer: Answer) -> None:
        """Have it kept in a moment."""
        self._unkept[key] = answer
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep_soon())

    async def settle(self) -> None:
        """Return when everything is kept."""
        answers = dict(self._unkept)
        try:
            if answers:
                await self._keep(answers)
        except Unavailable:
            return
        finally:
            for key in answers:
                self._unkept.pop(key, None)

    async def _keep_soon(self) -> None:
        # What is put while others are written has its turn next.
        while self._unkept:
            await asyncio.sleep(_KEPT_AFTER_SECONDS)
            await self.settle()

    async def _find(self, keys: Sequence[str]) -> Mapping[str, Answer]:
        row = JudgeAnswerRow
        query = select(row.key, row.answer).where(
            row.project_id == self._project_id, row.key.in_(keys), row.created_at >= self._since
        )
        async with self._database.transaction() as session:
            return {key: answer_of(document) for key, document in (await session.execute(query)).all()}

    async def _keep(self, answers: Mapping[str, Answer]) -> None:
        rows = [
            {"project_id": self._project_id, "key": key, "answer": document_of(answer)}
            for key, answer in answers.items()
        ]
        await keep_latest(self._database, JudgeAnswerRow, rows, content="answer")


def document_of(answer: Answer) -> dict[str, Any]:
    """An answer as plain values."""
    return asdict(replace(answer, text=storable(answer.text), refusal=storable(answer.refusal)))


def answer_of(document: Mapping[str, Any]) -> Answer:
    """The inverse of `document_of`."""
    return Answer(**{**document, "spending": Spending(**document["spending"])})
