"""Evaluation jobs: one evaluator of a rule on one target, and the ids by which nothing is judged twice."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic.dataclasses import dataclass

from heliograph.domain.evaluation_rules import RuleTarget
from heliograph.domain.identifiers import ProjectId

MAX_ATTEMPTS = 4
# What has ended for so long is forgotten, and a target that was stored before then is matched no more: it may have been
# judged.
KEPT = timedelta(days=30)
# Within two hours, as a provider's outage lasts.
_WAITS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=60))
_DIGITS = 32
_SEPARATOR = "\0"


class JobState(StrEnum):
    """What becomes of a job."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    # The target lacks what the evaluator needs, is gone, or says nothing of it.
    SKIPPED = "SKIPPED"
    ERROR = "ERROR"


OPEN = (JobState.PENDING, JobState.RUNNING)


@dataclass(frozen=True)
class Target:
    """What is judged, in the state that `version` names. `id` is that of the observation, the trace or the session."""

    kind: RuleTarget
    id: str
    trace_id: str
    version: int

    @property
    def is_whole(self) -> bool:
        """Whether it never changes once it is there; what grows is judged again when it has grown."""
        return self.kind in {RuleTarget.OBSERVATION, RuleTarget.EXPERIMENT}


class RuleEvaluator(NamedTuple):
    """A version of an evaluator under a rule."""

    project_id: ProjectId
    rule_id: str
    # The hash of what shapes its verdicts, the mapping of the rule included.
    version: str


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A job that is due at a time, or when its target has been at rest until then."""

    project_id: ProjectId
    rule_id: str
    evaluator_id: str
    # The hash of what shapes its verdicts, the mapping of the rule included.
    evaluator_version: str
    target: Target
    delay: timedelta

    @property
    def id(self) -> str:
        """Derived from what it is about: a target is matched as often as it is seen, and judged once."""
        version = "" if self.target.is_whole else str(self.target.version)
        parts = (self.rule_id, self.evaluator_version, self.target.trace_id, self.target.id, version)
        return hashlib.sha256(_SEPARATOR.join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


@dataclass(frozen=True, kw_only=True)
class EvaluationJob:
    """A job that was taken. With `was_asked` an earlier worker died after it had asked the judge."""

    id: str
    project_id: ProjectId
    rule_id: str
    evaluator_id: str
    evaluator_version: str
    target: Target
    attempts: int
    created_at: datetime
    was_asked: bool
    # What came of an earlier attempt that ended before its scores were written.
    verdict: Mapping[str, Any] | None

    @property
    def by(self) -> RuleEvaluator:
        """What judges."""
        return RuleEvaluator(self.project_id, self.rule_id, self.evaluator_version)


@dataclass(frozen=True, kw_only=True)
class Execution:
    """A job as it is shown."""

    id: str
    evaluator_id: str
    target: Target
    state: JobState
    attempts: int
    cause: str
    message: str
    score_ids: tuple[str, ...]
    execution_trace_id: str
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None


def retry_after(attempts: int, named_seconds: float = 0.0) -> timedelta | None:
    """How long to wait after so many attempts, or as long as the provider asked for; None when it was the last one."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return max(_WAITS[min(attempts, len(_WAITS)) - 1], timedelta(seconds=named_seconds))


def score_id(by: RuleEvaluator, target: Target, name: str, *, occurrence: int = 0) -> str:
    """The id of a score: the same for the same evaluator on the same target, so that a later verdict replaces it."""
    text = _SEPARATOR.join(("eval-score", *by, target.trace_id, target.id, name, str(occurrence)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
