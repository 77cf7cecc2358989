"""The way in for what the platform itself has to store: masked and priced like any request, and as durable."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from heliograph.domain.access import Project
from heliograph.domain.events import MappedBatch
from heliograph.outbound import Outbound
from heliograph.settings import Settings
from ingestion import otlp
from ingestion.masking.callback import Callbacks
from ingestion.masking.projects import ProjectMasking
from ingestion.project_mapping import ProjectRules
from ingestion.project_prices import ProjectPrices
from ingestion.scores import ScoreBody
from storage.postgres.connection import Database
from storage.postgres.masking_rules import AllMaskingRules
from storage.postgres.models import AllModels

_SDK_NAME = "heliograph"


class Appends(Protocol):
    """Where mapped batches go; see `LaneClient`."""

    async def append(self, batch: MappedBatch) -> None:
        """Return when every record of the batch is durable; raises Overloaded, Unavailable."""


class Intake:
    """Stores scores and spans that the platform makes; the rules are read anew for each of the few that come here.

    Args:
        rules: of all projects.
        connect: finds the way to the lanes when it is first needed: a door opens while the lane map cannot be read.
    """

    def __init__(self, rules: ProjectRules, connect: Callable[[], Awaitable[Appends]]) -> None:
        self._rules = rules
        self._connect = connect
        self._appends: Appends | None = None

    async def take_scores(self, project: Project, bodies: Sequence[ScoreBody]) -> None:
        """Return when the scores are durable; raises Unavailable and Overloaded."""
        mapping = await self._rules.mapping(project, _SDK_NAME)
        await self._append(await mapping.scores(bodies))

    async def take_spans(self, project: Project, export: otlp.ExportTraceServiceRequest) -> MappedBatch:
        """Return the rows when the spans are durable; raises Unavailable and Overloaded."""
        mapping = await self._rules.mapping(project, _SDK_NAME)
        batch = await mapping.spans(export)
        await self._append(batch)
        return batch

    async def _append(self, batch: MappedBatch) -> None:
        if self._appends is None:
            self._appends = await self._connect()
        await self._appends.append(batch)


def project_rules(settings: Settings, database: Database) -> ProjectRules:
    """The rules that hold for every project, read from this database."""
    return ProjectRules(
        ProjectMasking(AllMaskingRules(database)), masking_callbacks(settings), ProjectPrices(AllModels(database))
    )


def masking_callbacks(settings: Settings) -> Callbacks:
    """What asks masking callbacks."""
    outbound = Outbound(settings.outbound.allowed_networks)
    return Callbacks(outbound, settings.masking.callback_timeout_seconds, settings.masking.callback_attempts)
