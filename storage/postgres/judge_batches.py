"""The batches of runs at providers, and what they answered: noted step by step, so that none is paid twice."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.evaluation_runs import EvaluationRun, JudgeSpec, RunState
from heliograph.domain.evaluators import Answer
from heliograph.domain.judge_batches import BatchState, JudgeBatch, NotAnswered
from heliograph.domain.wire import storable
from heliograph.gathered import Gathered
from storage.postgres.connection import Database
from storage.postgres.evaluation_runs import run_of
from storage.postgres.judge_answers import answer_of, document_of
from storage.postgres.model_answers import AT_ONCE
from storage.postgres.tables.declarative import fresh_id
from storage.postgres.tables.evaluation_runs import EvaluationRunRow
from storage.postgres.tables.judge_batches import BatchAnswerRow, JudgeBatchRow


class JudgeBatches:
    """The batches of one run."""

    def __init__(self, database: Database, run_id: str) -> None:
        self._database, self._run_id = database, run_id
        self._answers = Gathered(self._find)

    async def open(self, part: int | None = None) -> list[JudgeBatch]:
        """Those that have not ended, of a part or of all."""
        row = JudgeBatchRow
        query = select(row).where(row.run_id == self._run_id, row.state != BatchState.ENDED)
        query = query if part is None else query.where(row.part == part)
        async with self._database.transaction() as session:
            return [_batch(found) for found in await session.scalars(query.order_by(row.created_at))]

    async def prepare(self, part: int, judge: JudgeSpec, requests: int) -> JudgeBatch:
        """Note a batch before anything of it is done."""
        row = JudgeBatchRow(
            id=fresh_id(), run_id=self._run_id, part=part, judge=judge.model_dump(mode="json"),
            state=BatchState.PREPARED, provider_id="", reason="", requests=requests,
        )  # fmt: skip
        async with self._database.transaction() as session:
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return _batch(row)

    async def note_submitted(self, batch: JudgeBatch, provider_id: str) -> None:
        """Note that the provider has it."""
        await self._change(batch, state=BatchState.SUBMITTED, provider_id=provider_id)

    async def keep_answers(self, answers: Mapping[str, Answer | NotAnswered]) -> None:
        """Keep what was answered, by the hashes of the questions; what was answered first stays."""
        # In one order, and piece by piece: a batch may have more than a transaction has time for.
        rows = [{"run_id": self._run_id, "key": key, "answer": _document(answers[key])} for key in sorted(answers)]
        for start in range(0, len(rows), AT_ONCE):
            keeping = insert(BatchAnswerRow).values(rows[start : start + AT_ONCE])
            async with self._database.transaction() as session:
                await session.execute(keeping.on_conflict_do_nothing())

    async def end(self, batch: JudgeBatch, *, answered: int, spent: int, reason: str = "") -> None:
        """Note that its answers are kept, and its money is settled; `reason` is why all of it was refused."""
        ended = {"state": BatchState.ENDED, "ended_at": func.now()}
        await self._change(batch, answered=answered, spent=spent, reason=reason[:1_000], **ended)

    async def fruitless(self, part: int) -> int:
        """How many batches of a part that the provider took in a row, up to the last one, gave no answer."""
        row = JudgeBatchRow
        taken = (row.run_id == self._run_id) & (row.part == part) & (row.state == BatchState.ENDED) & (row.reason == "")
        async with self._database.transaction() as session:
            answered = list(await session.scalars(select(row.answered).where(taken).order_by(row.ended_at.desc())))
        return next((place for place, count in enumerate(answered) if count), len(answered))

    async def get(self, key: str) -> Answer | NotAnswered | None:
        """What was answered to a question; those that are asked for at about the same time are read together."""
        return await self._answers.of(key)

    async def _find(self, keys: Sequence[str]) -> Mapping[str, Answer | NotAnswered]:
        row = BatchAnswerRow
        query = select(row.key, row.answer).where(row.run_id == self._run_id, row.key.in_(keys))
        async with self._database.transaction() as session:
            return {key: _answered(document) for key, document in (await session.execute(query)).all()}

    async def _change(self, batch: JudgeBatch, **values: Any) -> None:
        async with self._database.transaction() as session:
            await session.execute(update(JudgeBatchRow).where(JudgeBatchRow.id == batch.id).values(**values))


async def batches_of_cancelled(database: Database) -> list[tuple[EvaluationRun, int]]:
    """The parts of cancelled runs of which a batch is still on its way."""
    row = JudgeBatchRow
    query = select(EvaluationRunRow, row.part).join(row, row.run_id == EvaluationRunRow.id)
    query = query.where(EvaluationRunRow.state == RunState.CANCELLED.value, row.state != BatchState.ENDED)
    async with database.transaction() as session:
        found = (await session.execute(query)).all()
    return list({(run.id, part): (run_of(run), part) for run, part in found}.values())


def _document(one: Answer | NotAnswered) -> dict[str, Any]:
    return {"cause": one.cause, "reason": storable(one.reason)} if isinstance(one, NotAnswered) else document_of(one)


def _answered(document: Mapping[str, Any]) -> Answer | NotAnswered:
    return NotAnswered(**document) if "cause" in document else answer_of(document)


def _batch(row: JudgeBatchRow) -> JudgeBatch:
    return JudgeBatch(
        id=row.id,
        run_id=row.run_id,
        part=row.part,
        judge=JudgeSpec.model_validate(row.judge),
        state=BatchState(row.state),
        provider_id=row.provider_id,
        created_at=row.created_at,
    )
