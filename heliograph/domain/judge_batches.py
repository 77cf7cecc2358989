"""Batches of questions to judges: what a provider is given at once, and answers within a day."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from heliograph.domain.evaluation_runs import JudgeSpec


class BatchState(StrEnum):
    """How far a batch is. Of a prepared one nobody knows yet whether the provider has it."""

    PREPARED = "prepared"
    SUBMITTED = "submitted"
    ENDED = "ended"


@dataclass(frozen=True)
class NotAnswered:
    """Why a question has no answer, and will have none; `cause` is the type of the error."""

    cause: str
    reason: str


@dataclass(frozen=True)
class JudgeBatch:
    """A batch of one part of a run.

    Attributes:
        provider_id: the provider's name of it.
    """

    id: str
    run_id: str
    part: int
    judge: JudgeSpec
    state: BatchState
    provider_id: str
    created_at: datetime

    @property
    def holder(self) -> str:
        """Who holds its money: longer than whoever has submitted it."""
        return f"{self.run_id}/batch/{self.id}"
