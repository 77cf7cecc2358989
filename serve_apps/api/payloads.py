"""Single traces and observations with their payloads whole: those too large for rows are read from object storage."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from heliograph.domain.observations import Observation
from heliograph.domain.oversized import Mark, marks_in
from heliograph.domain.traces import Trace
from ingestion.oversized import put_back
from serve_apps.api.dependencies import StoredPayloads

_AT_ONCE = 8
# What one answer reads; payloads beyond keep their previews.
MAX_BYTES = 256 << 20

_Row = TypeVar("_Row", Observation, Trace)
_Wanted = dict[tuple[str, str, str], Mark]


class WholePayloads:
    """Puts the whole in place of previews, for one answer.

    Args:
        stored: where the whole lies.
        max_bytes: what it may read.
    """

    def __init__(self, stored: StoredPayloads, max_bytes: int = MAX_BYTES) -> None:
        self._stored = stored
        self._left = max_bytes

    async def of_observations(self, observations: Iterable[Observation]) -> list[Observation]:
        """The observations with their payloads whole; raises Unavailable."""
        rows = list(observations)
        return await self._whole(rows, [row.trace_id for row in rows])

    async def of_trace(self, trace: Trace) -> Trace:
        """The trace with its payloads whole; raises Unavailable."""
        (whole,) = await self._whole([trace], [trace.id])
        return whole

    async def _whole(self, rows: Sequence[_Row], trace_ids: Sequence[str]) -> list[_Row]:
        wanted = {
            (row.project_id, trace_id, mark.digest): mark
            for row, trace_id in zip(rows, trace_ids, strict=True)
            for text in _texts(row)
            for mark in marks_in(text)
        }
        if not wanted:
            return list(rows)
        contents = await self._read(wanted)
        return [_restored(row, contents) for row in rows]

    async def _read(self, wanted: _Wanted) -> dict[str, str]:
        contents: dict[str, str] = {}
        keys = list(wanted)
        for start in range(0, len(keys), _AT_ONCE):
            chosen = [key for key in keys[start : start + _AT_ONCE] if self._takes(wanted[key].nbytes)]
            found = await asyncio.gather(*(asyncio.to_thread(self._stored.read, *key) for key in chosen))
            for (_, _, digest), content in zip(chosen, found, strict=True):
                if content is not None:
                    contents[digest] = content
        return contents

    def _takes(self, nbytes: int) -> bool:
        if nbytes > self._left:
            return False
        self._left -= nbytes
        return True


def _texts(row: Observation | Trace) -> Iterator[str]:
    yield row.input
    yield row.output
    yield from row.metadata.values()


def _restored(row: _Row, contents: dict[str, str]) -> _Row:
    return replace(
        row,
        input=put_back(row.input, contents),
        output=put_back(row.output, contents),
        metadata={key: put_back(text, contents) for key, text in row.metadata.items()},
    )
