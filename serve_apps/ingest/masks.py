"""The masking of one request: its project's rules, and the callbacks that are asked before anything is mapped."""

from dataclasses import dataclass, replace

from starlette.datastructures import Headers

from heliograph.domain.access import Principal
from ingestion.batch.events import Event
from ingestion.masking.callback import Callbacks, Origin
from ingestion.masking.projects import Masking
from ingestion.otlp import ExportTraceServiceRequest, MappingContext
from ingestion.scores import ScoreBody
from serve_apps.ingest.dependencies import IngestDependencies


@dataclass(frozen=True)
class RequestMasks:
    """What applies to a request; each method returns what it is given when there is no callback."""

    masking: Masking
    callbacks: Callbacks
    origin: Origin

    @property
    def is_slow(self) -> bool:
        """Whether the rules are too slow for the event loop."""
        return self.masking.is_slow

    def within(self, context: MappingContext) -> MappingContext:
        """The context with the rules that mapping applies."""
        return replace(context, masker=self.masking.masker)

    async def export(self, export: ExportTraceServiceRequest) -> ExportTraceServiceRequest:
        """The export as the callbacks give it back; raises Unavailable."""
        rules = self.masking.callbacks
        return await self.callbacks.export(export, rules, self.origin) if rules else export

    async def events(self, events: list[Event]) -> list[Event]:
        """The events as the callbacks give them back; raises Unavailable."""
        rules = self.masking.callbacks
        return await self.callbacks.events(events, rules, self.origin) if rules else events

    async def scores(self, bodies: list[ScoreBody]) -> list[ScoreBody]:
        """The scores as the callbacks give them back; raises Unavailable."""
        rules = self.masking.callbacks
        return await self.callbacks.scores(bodies, rules, self.origin) if rules else bodies


class Masks:
    """The masking of every request.

    Args:
        dependencies: the rules, and what calls back.
    """

    def __init__(self, dependencies: IngestDependencies) -> None:
        self._maskings = dependencies.maskings
        self._callbacks = dependencies.callbacks

    def of(self, headers: Headers, principal: Principal) -> RequestMasks:
        """What applies to a request with these headers; raises Unavailable while the project's rules are not known."""
        masking = self._maskings.of(principal.project_id)
        origin = Origin(principal.organization_id, principal.project_id, headers)
        return RequestMasks(masking, self._callbacks, origin)
