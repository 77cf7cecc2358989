"""Small exports that arrive together are mapped as one, whoever sent them: most of their cost is fixed."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from heliograph import telemetry, tracing
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import ProjectId
from ingestion import otlp
from ingestion.masking.masker import Masker
from ingestion.pricing import PriceBook
from serve_apps.ingest.dependencies import Appends

# As many spans as a thread would map in one go: more would hold the loop for longer.
_MAX_SPANS = 250
_log = telemetry.logger("joined_exports")


class _Joined(NamedTuple):
    export: otlp.ExportTraceServiceRequest
    context: otlp.MappingContext
    answer: asyncio.Future[list[str]]
    traced: tracing.Parents

    @property
    def project_id(self) -> ProjectId:
        return self.context.project_id

    def succeed(self, rejected: list[str]) -> None:
        if not self.answer.done():
            self.answer.set_result(rejected)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass
class _Group:
    members: list[_Joined] = field(default_factory=list)
    spans: int = 0


class _Share(NamedTuple):
    """What one project has in a group."""

    members: Sequence[_Joined]
    batch: MappedBatch
    rejected: Sequence[list[str]]


class JoinedExports:
    """Gathers the exports of a few milliseconds that are masked and priced alike, and appends each project's apart.

    Args:
        appends: where mapped batches go.
        join_seconds: how long the first one waits for others.
    """

    def __init__(self, appends: Appends, join_seconds: float) -> None:
        self._appends = appends
        self._join_seconds = join_seconds
        self._groups: dict[tuple[Masker, PriceBook], _Group] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, export: otlp.ExportTraceServiceRequest, context: otlp.MappingContext) -> list[str]:
        """Return when the export's valid spans are durable, with what was rejected of it."""
        loop = asyncio.get_running_loop()
        key = (context.masker, context.prices)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group()
            loop.call_later(self._join_seconds, self._close, key, group)
        one = _Joined(export, context, loop.create_future(), tracing.parents())
        group.members.append(one)
        group.spans += export.span_count
        if group.spans >= _MAX_SPANS:
            self._close(key, group)
        return await one.answer

    def _close(self, key: tuple[Masker, PriceBook], group: _Group) -> None:
        if self._groups.get(key) is group:
            del self._groups[key]
            for share in _shares(group.members):
                task = asyncio.get_running_loop().create_task(self._append(share))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _append(self, share: _Share) -> None:
        try:
            with tracing.resumed([parent for one in share.members for parent in one.traced]):
                await self._appends.append(share.batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, each caller is to be told
            for one in share.members:
                one.fail(error)
            return
        for one, rejected in zip(share.members, share.rejected, strict=True):
            one.succeed(rejected)


def _shares(members: list[_Joined]) -> Iterator[_Share]:
    """The members mapped as one, cut by project; when that fails, each is mapped alone, and told of its own failure."""
    ordered = sorted(members, key=lambda one: one.project_id)
    try:
        mapped = otlp.map_exports([one.export for one in ordered], [one.context for one in ordered])
        places = [list(places) for _, places in groupby(range(len(ordered)), lambda place: ordered[place].project_id)]
        counts = [sum(mapped.accepted[place] for place in own) for own in places]
        batches = mapped.batch.split(counts) if len(places) > 1 else [mapped.batch]
    except Exception as error:  # noqa: BLE001 - an export must not cost its neighbours
        if len(ordered) == 1:
            _log.error("export_not_mapped", project=ordered[0].project_id, exc_info=error)
            ordered[0].fail(error)
        else:
            for one in ordered:
                yield from _shares([one])
        return
    for own, batch in zip(places, batches, strict=True):
        yield _Share([ordered[place] for place in own], batch, [mapped.rejected[place] for place in own])
