"""Score configs as scores are checked against them: from memory, read at most every few seconds."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import NamedTuple

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_configs import ScoreConfig
from storage.postgres.connection import Database
from storage.postgres.score_configs import ScoreConfigs

# A change is announced; this is for an announcement that nobody heard, since the connection had died unnoticed.
FRESH_SECONDS = 5.0
# How long a config holds while PostgreSQL is away.
STALE_SECONDS = 3_600.0
MAX_ENTRIES = 10_000


class _Seen(NamedTuple):
    config: ScoreConfig
    at: float
    generation: int


class ScoreConfigCache:
    """Configs of every project.

    One that is not known is read whenever it is asked for: it may have been created this moment.

    Args:
        database: where they are read.
        clock: seconds that never go backwards.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._generation = 0
        self._seen: OrderedDict[tuple[str, str], _Seen] = OrderedDict()
        self.reads = 0

    async def of(self, project_id: ProjectId, config_ids: Collection[str]) -> dict[str, ScoreConfig]:
        """Return those of these that exist in the project, by id.

        Raises:
            Unavailable: PostgreSQL is away, and one of them was not seen for an hour.
        """
        seen = {each: found for each in config_ids if (found := self._seen.get((project_id, each)))}
        asked = {each for each in config_ids if each not in seen or not self._is_fresh(seen[each])}
        if not asked:
            return {each: found.config for each, found in seen.items()}
        try:
            read = await self._read(project_id, asked)
        except Unavailable:
            oldest = self._clock() - STALE_SECONDS
            if any(each not in seen or seen[each].at < oldest for each in asked):
                raise
            read = {}
        return {each: found.config for each, found in seen.items()} | read

    def drop(self, project_id: str) -> None:
        """Read again: a config of this project has changed. Changes are so rare that all are read again."""
        del project_id
        self.age()

    def age(self) -> None:
        """Read every config at its next use: any of them may have changed."""
        self._generation += 1

    async def _read(self, project_id: ProjectId, config_ids: Collection[str]) -> dict[str, ScoreConfig]:
        at, generation = self._clock(), self._generation
        self.reads += 1
        found = await ScoreConfigs(self._database, project_id).of(config_ids)
        for config_id, config in found.items():
            self._seen[project_id, config_id] = _Seen(config, at, generation)
            self._seen.move_to_end((project_id, config_id))
        while len(self._seen) > MAX_ENTRIES:
            self._seen.popitem(last=False)
        return found

    def _is_fresh(self, seen: _Seen) -> bool:
        return seen.generation == self._generation and self._clock() - seen.at < FRESH_SECONDS
