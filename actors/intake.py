"""The way in for what the platform itself has to store: masked and priced like any request, and as durable."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from heliograph.domain.access import Project
from heliograph.domain.events import IngestionFacts, MappedBatch
from ingestion import otlp, scores
from ingestion.masking.callback import Callbacks, Origin
from ingestion.masking.projects import ProjectMasking
from ingestion.project_prices import ProjectPrices
from ingestion.scores import ScoreBody


class Appends(Protocol):
    """Where mapped batches go; see `LaneClient`."""

    async def append(self, batch: MappedBatch) -> None:
        """Return when every record of the batch is durable."""


@dataclass(frozen=True)
class Rules:
    """What a project's events are held to: masking, callbacks, prices; read anew for each of the few that come here."""

    masking: ProjectMasking
    callbacks: Callbacks
    prices: ProjectPrices


def _now() -> datetime:
    return datetime.now(UTC)


class Intake:
    """Stores scores and spans that the platform makes.

    Args:
        rules: of all projects.
        connect: finds the way to the lanes when it is first needed: a door opens while the lane map cannot be read.
        sdk_name: what is noted as their sender.
        clock: when they come.
    """

    def __init__(
        self,
        rules: Rules,
        connect: Callable[[], Awaitable[Appends]],
        *,
        sdk_name: str = "heliograph",
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._rules = rules
        self._connect = connect
        self._appends: Appends | None = None
        self._facts = IngestionFacts(sdk_name=sdk_name)
        self._clock = clock

    async def take_scores(self, project: Project, bodies: Sequence[ScoreBody]) -> None:
        """Return when the scores are durable; raises Unavailable and Overloaded."""
        await self._rules.masking.look()
        masking = self._rules.masking.of(project.id)
        kept = list(bodies)
        if masking.callbacks:
            kept = await self._rules.callbacks.scores(kept, masking.callbacks, _origin(project))
        context = replace(self._context(project), masker=masking.masker)
        await self._append(scores.map_scores(kept, context))

    async def take_spans(self, project: Project, export: otlp.ExportTraceServiceRequest) -> MappedBatch:
        """Return the rows when the spans are durable; raises Unavailable and Overloaded."""
        await self._rules.masking.look()
        await self._rules.prices.look()
        masking = self._rules.masking.of(project.id)
        if masking.callbacks:
            export = await self._rules.callbacks.export(export, masking.callbacks, _origin(project))
        prices = self._rules.prices.of(project.id)
        context = replace(self._context(project), masker=masking.masker, prices=prices)
        batch = otlp.map_export(export, context).batch
        await self._append(batch)
        return batch

    def _context(self, project: Project) -> otlp.MappingContext:
        return otlp.MappingContext(project.id, self._facts, self._clock())

    async def _append(self, batch: MappedBatch) -> None:
        if self._appends is None:
            self._appends = await self._connect()
        await self._appends.append(batch)


def _origin(project: Project) -> Origin:
    return Origin(project.organization_id, project.id, {})
