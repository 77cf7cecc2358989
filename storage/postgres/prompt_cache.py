"""Prompts as applications fetch them: from memory, read at most every few seconds, dropped when they change."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import PromptNotFound
from heliograph.domain.prompts import Choice, Composition
from storage.postgres.connection import Database
from storage.postgres.prompt_compositions import PromptCompositions

# A change is announced; this is for an announcement that nobody heard, since the connection had died unnoticed.
FRESH_SECONDS = 5.0
# How long a prompt is served while PostgreSQL is away.
STALE_SECONDS = 3_600.0
MAX_ENTRIES = 10_000
# Names that do not exist are remembered more shortly than others, and apart: they must not push those out.
_MISSING_SECONDS = 0.5


class Asked(NamedTuple):
    """A prompt that is asked for, with what it includes in its place unless it is wanted as it was written."""

    project_id: ProjectId
    name: str
    choice: Choice
    is_resolved: bool = True


class _Seen(NamedTuple):
    found: Composition | PromptNotFound
    at: float
    generation: int


class PromptCache:
    """Composed prompts of every project.

    Args:
        database: where they are read.
        clock: seconds that never go backwards.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._generation = 0
        self._changes: dict[str, int] = {}
        self._seen: OrderedDict[Asked, _Seen] = OrderedDict()
        self._missing: OrderedDict[Asked, _Seen] = OrderedDict()
        self._reading: dict[tuple[Asked, int], asyncio.Task[Composition]] = {}
        self.reads = 0

    async def get(self, asked: Asked) -> Composition:
        """Return a prompt, composed.

        Raises:
            PromptNotFound: it, or something that it includes, does not exist.
            Conflict, InvalidRequest: what it includes cannot be included.
            Unavailable: PostgreSQL is away, and the prompt was not seen for an hour.
        """
        seen = self._seen.get(asked) or self._missing.get(asked)
        if seen is None or not self._is_fresh(asked, seen):
            try:
                return await self._read(asked)
            except Unavailable:
                if seen is None or self._clock() - seen.at > STALE_SECONDS:
                    raise
        if isinstance(seen.found, PromptNotFound):
            # A fresh copy: an exception that is raised again collects the tracebacks of all its raisers.
            raise PromptNotFound(*seen.found.args)
        return seen.found

    def drop(self, project_id: str) -> None:
        """Read the prompts of a project at their next use: one of them has changed, and others may include it."""
        if len(self._changes) >= MAX_ENTRIES:
            self.age()
        self._generation += 1
        self._changes[project_id] = self._generation

    def age(self) -> None:
        """Read every prompt at its next use: any of them may have changed."""
        self._generation += 1
        self._changes.clear()
        self._changes[""] = self._generation

    async def _read(self, asked: Asked) -> Composition:
        """One reader for all who ask at once, but never for those who ask after a change that it may have missed."""
        key = (asked, self._changed(asked))
        task = self._reading.get(key)
        if task is None:
            self.reads += 1
            task = self._reading[key] = asyncio.create_task(self._find(asked))
            task.add_done_callback(lambda done: self._finish(key, done))
        return await asyncio.shield(task)

    async def _find(self, asked: Asked) -> Composition:
        at, generation = self._clock(), self._generation
        try:
            compositions = PromptCompositions(self._database, asked.project_id)
            found = await compositions.get(asked.name, asked.choice, is_resolved=asked.is_resolved)
        except PromptNotFound as missing:
            self._seen.pop(asked, None)
            _remember(self._missing, asked, _Seen(PromptNotFound(*missing.args), at, generation))
            raise
        self._missing.pop(asked, None)
        _remember(self._seen, asked, _Seen(found, at, generation))
        return found

    def _finish(self, key: tuple[Asked, int], task: asyncio.Task[Composition]) -> None:
        del self._reading[key]
        if not task.cancelled():
            # Retrieved, so that a failure nobody waited for is not reported as lost.
            task.exception()

    def _changed(self, asked: Asked) -> int:
        return max(self._changes.get("", 0), self._changes.get(asked.project_id, 0))

    def _is_fresh(self, asked: Asked, seen: _Seen) -> bool:
        seconds = _MISSING_SECONDS if isinstance(seen.found, PromptNotFound) else FRESH_SECONDS
        return seen.generation >= self._changed(asked) and self._clock() - seen.at < seconds


def _remember(entries: OrderedDict[Asked, _Seen], asked: Asked, seen: _Seen) -> None:
    entries[asked] = seen
    entries.move_to_end(asked)
    if len(entries) > MAX_ENTRIES:
        entries.popitem(last=False)
