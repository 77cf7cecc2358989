"""The way of what people do from the pages to the lanes: scores, calls of models, deletions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from heliograph.domain.access import Project
from heliograph.domain.deletions import Deletion, SubjectType
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import ProjectId
from ingestion.otlp import ExportTraceServiceRequest
from ingestion.scores import ScoreBody


class Intake(Protocol):
    """Where scores and spans go; see `actors.intake`."""

    async def take_scores(self, project: Project, bodies: Sequence[ScoreBody]) -> None:
        """Return when the scores are durable."""

    async def take_spans(self, project: Project, export: ExportTraceServiceRequest) -> MappedBatch:
        """Return the rows when the spans are durable."""


class DeletionRequests(Protocol):
    """What accepts requests to delete; see `actors.deletion_requests`."""

    async def accept(
        self, project_id: ProjectId, subject_type: SubjectType, subjects: Sequence[str], *, requested_by: str
    ) -> Deletion:
        """Return when the tombstones are durable."""


@dataclass(frozen=True)
class OwnEvents:
    """The way in, and the way out."""

    intake: Intake
    deletions: DeletionRequests
