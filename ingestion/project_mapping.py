"""How what the platform itself writes into a project is masked, priced and mapped: like any request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from heliograph.domain.access import Project
from heliograph.domain.events import IngestionFacts, MappedBatch
from ingestion import otlp
from ingestion.masking.callback import Callbacks, Origin
from ingestion.masking.projects import Masking, ProjectMasking
from ingestion.pricing import PriceBook
from ingestion.project_prices import ProjectPrices
from ingestion.scores import ScoreBody, map_scores


@dataclass(frozen=True)
class ProjectMapping:
    """The rules of one project, as they were when they were read.

    Attributes:
        origin: whose events they are.
        masking: what is hidden in them.
        callbacks: what asks the project's own masking service.
        prices: what calls of models cost.
        sdk_name: what is noted as the sender.
    """

    origin: Origin
    masking: Masking
    callbacks: Callbacks
    prices: PriceBook
    sdk_name: str

    async def scores(self, bodies: Sequence[ScoreBody]) -> MappedBatch:
        """The scores as they are stored; raises Unavailable when a callback that must not fail does."""
        shown = list(bodies)
        if rules := self.masking.callbacks:
            shown = await self.callbacks.scores(shown, rules, self.origin)
        return map_scores(shown, self._context())

    async def spans(self, export: otlp.ExportTraceServiceRequest) -> MappedBatch:
        """The spans as they are stored; raises Unavailable as `scores` does."""
        if rules := self.masking.callbacks:
            export = await self.callbacks.export(export, rules, self.origin)
        return otlp.map_export(export, self._context()).batch

    def _context(self) -> otlp.MappingContext:
        facts = IngestionFacts(sdk_name=self.sdk_name)
        return otlp.MappingContext(
            self.origin.project_id, facts, datetime.now(UTC), masker=self.masking.masker, prices=self.prices
        )


@dataclass(frozen=True)
class ProjectRules:
    """What the events of all projects are held to: masking, callbacks, prices."""

    masking: ProjectMasking
    callbacks: Callbacks
    prices: ProjectPrices

    async def mapping(self, project: Project, sdk_name: str) -> ProjectMapping:
        """The rules of a project as they are now; raises Unavailable where they were never known."""
        await self.masking.look()
        await self.prices.look()
        return ProjectMapping(
            Origin(project.organization_id, project.id, {}),
            self.masking.of(project.id),
            self.callbacks,
            self.prices.of(project.id),
            sdk_name,
        )
