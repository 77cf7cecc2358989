"""Tombstones and reports on their way to PostgreSQL: while it is away they wait, and the checkpoint waits for them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from heliograph.domain.deletions import Removed, Tombstone
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import LaneNumber


class Records(Protocol):
    """Where deletions are recorded; see `Deletions`."""

    async def record(self, tombstones: Iterable[Tombstone]) -> None: ...

    async def report(self, deletion_id: str, lane: LaneNumber, removed: Removed) -> None: ...


class References(Protocol):
    """Where it is known which files the deleted referred to; see `AllMedia`."""

    async def forget(self, tombstones: Iterable[Tombstone]) -> dict[str, int]: ...


class DeletionLedger:
    """What one lane has to record of its deletions."""

    def __init__(self, lane: LaneNumber, deletions: Records, media: References) -> None:
        self._lane = lane
        self._deletions = deletions
        self._media = media
        self._forgotten: Counter[str] = Counter()
        self._tombstones: list[Tombstone] = []
        self._reports: list[tuple[str, Removed]] = []
        self._writing = asyncio.Lock()

    async def note(self, tombstones: Iterable[Tombstone]) -> None:
        """Record tombstones, before what they cover is deleted: its next replay then passes over it.

        The lane does not stop for PostgreSQL: while that is away they are recorded later, before the checkpoint is.
        """
        self._tombstones.extend(tombstones)
        with contextlib.suppress(Unavailable):
            await self.settle()

    async def report(self, removed: Mapping[str, Removed]) -> None:
        """Record what was removed, by deletion."""
        self._reports.extend(removed.items())
        with contextlib.suppress(Unavailable):
            await self.settle()

    async def settle(self) -> None:
        """Record everything that waits; raises Unavailable. A checkpoint is recorded only after this."""
        async with self._writing:
            if self._tombstones:
                tombstones = list(self._tombstones)
                await self._deletions.record(tombstones)
                self._forgotten.update(await self._media.forget(tombstones))
                del self._tombstones[: len(tombstones)]
            while self._reports:
                deletion_id, removed = self._reports[0]
                whole = removed + Removed(media=self._forgotten[deletion_id])
                await self._deletions.report(deletion_id, self._lane, whole)
                del self._reports[0], self._forgotten[deletion_id]
