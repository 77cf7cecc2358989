"""What the ingestion doors answer."""

from collections.abc import Sequence
from typing import Literal, NotRequired

from serve_apps.api.shapes.values import JsonShape


class PartialSuccess(JsonShape):
    """How many spans were refused, and why; protobuf's JSON form writes 64-bit integers as strings."""

    rejectedSpans: str
    errorMessage: str


class ExportAnswer(JsonShape):
    """The answer of OTLP: empty unless something was refused."""

    partialSuccess: NotRequired[PartialSuccess]


class TakenEvent(JsonShape):
    """An event that was taken, by its id."""

    id: str
    status: Literal[201]


class RefusedEvent(JsonShape):
    """An event that was refused, and why."""

    id: str
    status: int
    message: str
    error: str


class BatchShape(JsonShape):
    """What became of each event of a batch."""

    successes: Sequence[TakenEvent]
    errors: Sequence[RefusedEvent]


class RefusedScore(JsonShape):
    """Why a score was refused, and which of the array it is."""

    message: str


class ScoresShape(JsonShape):
    """How many scores of an array were taken, and why the others were not."""

    accepted: int
    rejected: int
    errors: Sequence[RefusedScore]
