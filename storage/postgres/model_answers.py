"""What models have said, kept by the hash of what they were asked: the latest of each."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from storage.postgres.connection import Database
from storage.postgres.tables.model_answers import EmbeddingRow, JudgeAnswerRow

# What one statement reads or writes.
AT_ONCE = 1_000


async def keep_latest(
    database: Database, table: type[EmbeddingRow | JudgeAnswerRow], rows: Sequence[Mapping[str, Any]], *, content: str
) -> None:
    """Keep rows with their `project_id`, `key` and `content`; returns when they are kept, and may be repeated."""
    # Writers that overlap do so in one order, and wait for no one who waits for them.
    ordered = sorted(rows, key=itemgetter("key"))
    for start in range(0, len(ordered), AT_ONCE):
        keeping = insert(table).values(ordered[start : start + AT_ONCE])
        latest = {content: keeping.excluded[content], "created_at": func.now()}
        async with database.transaction() as session:
            await session.execute(keeping.on_conflict_do_update(index_elements=["project_id", "key"], set_=latest))
