"""Small exports that arrive together from one client are mapped and appended as one: most of their cost is fixed."""

import asyncio
from dataclasses import dataclass, field

from heliograph import tracing
from heliograph.domain.events import IngestionFacts
from heliograph.domain.identifiers import ProjectId
from ingestion import otlp
from serve_apps.ingest.dependencies import Appends

# As many spans as a thread would map in one go: more would hold the loop for longer.
_MAX_SPANS = 250


@dataclass
class _Group:
    context: otlp.MappingContext
    exports: list[otlp.ExportTraceServiceRequest] = field(default_factory=list)
    answers: list[asyncio.Future[list[str]]] = field(default_factory=list)
    traced: list[str] = field(default_factory=list)
    spans: int = 0


class JoinedExports:
    """Gathers the exports of a few milliseconds by project and client.

    Args:
        appends: where mapped batches go.
        join_seconds: how long the first one waits for others.
    """

    def __init__(self, appends: Appends, join_seconds: float) -> None:
        self._appends = appends
        self._join_seconds = join_seconds
        self._groups: dict[tuple[ProjectId, IngestionFacts], _Group] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, export: otlp.ExportTraceServiceRequest, context: otlp.MappingContext) -> list[str]:
        """Return when the export's valid spans are durable, with what was rejected of it."""
        loop = asyncio.get_running_loop()
        key = (context.project_id, context.facts)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(context)
            loop.call_later(self._join_seconds, self._close, key, group)
        answer: asyncio.Future[list[str]] = loop.create_future()
        group.exports.append(export)
        group.answers.append(answer)
        group.traced += tracing.parents()
        group.spans += export.span_count
        if group.spans >= _MAX_SPANS:
            self._close(key, group)
        return await answer

    def _close(self, key: tuple[ProjectId, IngestionFacts], group: _Group) -> None:
        if self._groups.get(key) is group:
            del self._groups[key]
            task = asyncio.get_running_loop().create_task(self._append(group))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _append(self, group: _Group) -> None:
        try:
            batch, rejected = otlp.map_exports(group.exports, group.context)
            with tracing.resumed(group.traced):
                await self._appends.append(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, each caller is to be told
            for answer in group.answers:
                if not answer.done():
                    answer.set_exception(error)
            return
        for answer, refused in zip(group.answers, rejected, strict=True):
            if not answer.done():
                answer.set_result(refused)
