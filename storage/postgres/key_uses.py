"""When keys were last used: gathered in memory, written beside the requests, for many keys at once."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import DateTime, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ApiKeyId
from storage.postgres.connection import Database

SPACING = timedelta(minutes=1)
# Every process may see the same key: a row that another has written in this minute, or is writing, is left to it.
_RECORD = text("""
    WITH used AS (SELECT * FROM unnest(:ids, :moments) AS used(id, moment)),
    due AS (
        SELECT api_keys.id FROM api_keys JOIN used USING (id)
        WHERE api_keys.last_used_at IS NULL OR api_keys.last_used_at <= used.moment - CAST(:spacing AS interval)
        ORDER BY api_keys.id
        FOR UPDATE OF api_keys SKIP LOCKED
    )
    UPDATE api_keys SET last_used_at = used.moment FROM used JOIN due USING (id) WHERE api_keys.id = used.id
    RETURNING api_keys.id
""").bindparams(bindparam("ids", type_=ARRAY(TEXT)), bindparam("moments", type_=ARRAY(DateTime(timezone=True))))


def _now() -> datetime:
    return datetime.now(UTC)


class KeyUses:
    """The uses of one process that are not written yet. A crash loses a minute of them.

    Args:
        database: where they go.
        clock: the time of a use.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock
        self._used: dict[ApiKeyId, datetime] = {}

    def note(self, api_key_id: ApiKeyId) -> None:
        """This key is used now. Costs a request one entry in a dictionary."""
        self._used[api_key_id] = self._clock()

    async def run(self) -> None:
        """Write once a minute until cancelled, and once more then."""
        try:
            # Processes that started together do not write together.
            await asyncio.sleep(SPACING.total_seconds() * random.random())  # noqa: S311
            while True:
                await self._record_or_keep()
                await asyncio.sleep(SPACING.total_seconds())
        finally:
            await self._record_or_keep()

    async def record(self) -> int:
        """Write what was gathered, and return how many keys were due; raises Unavailable, and keeps it then."""
        used, self._used = self._used, {}
        if not used:
            return 0
        ids = sorted(used)
        values = {"ids": ids, "moments": [used[each] for each in ids], "spacing": SPACING}
        try:
            async with self._database.transaction() as session:
                return len((await session.execute(_RECORD, values)).all())
        except (Unavailable, asyncio.CancelledError):
            self._used = used | self._used
            raise

    async def _record_or_keep(self) -> None:
        with contextlib.suppress(Unavailable):
            await self.record()
