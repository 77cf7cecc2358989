"""Which trace an observation belongs to, for events that do not tell it."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable

from heliograph.domain.events import EntityType
from heliograph.domain.identifiers import ProjectId
from ingestion.batch.events import Event
from ingestion.batch.mapping import entity_type_of
from serve_apps.ingest.dependencies import StoredTraceIds

_MAX_RECENT = 100_000


class TraceIds:
    """Tells events their traces: from their batch, from recent ones, from the store.

    An observation that nobody knows gets a trace of its own, whose id follows from the observation's: so that its
    later events find the same.
    """

    def __init__(self, stored: StoredTraceIds) -> None:
        self._stored = stored
        self._recent: OrderedDict[tuple[ProjectId, str], str] = OrderedDict()

    async def told(self, project_id: ProjectId, events: Iterable[Event]) -> list[Event]:
        """The events, every one with its trace."""
        found = list(events)
        for event in found:
            if event.trace_id and entity_type_of(event) is EntityType.OBSERVATION_EVENT:
                self._remember(project_id, event.entity_id, event.trace_id)
        untold = {event.entity_id for event in found if _is_untold(event)}
        unknown = sorted(one for one in untold if (project_id, one) not in self._recent)
        if unknown:
            stored = await self._stored.trace_ids(project_id, unknown)
            for one in unknown:
                self._remember(project_id, one, stored.get(one) or _own_trace(project_id, one))
        return [
            event.within(self._recent[project_id, event.entity_id]) if _is_untold(event) else event for event in found
        ]

    def _remember(self, project_id: ProjectId, observation_id: str, trace_id: str) -> None:
        self._recent[project_id, observation_id] = trace_id
        self._recent.move_to_end((project_id, observation_id))
        if len(self._recent) > _MAX_RECENT:
            self._recent.popitem(last=False)


def _is_untold(event: Event) -> bool:
    return not event.trace_id and entity_type_of(event) is EntityType.OBSERVATION_EVENT


def _own_trace(project_id: ProjectId, observation_id: str) -> str:
    return hashlib.sha256(f"{project_id}\0{observation_id}".encode()).hexdigest()[:32]
