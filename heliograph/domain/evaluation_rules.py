"""Evaluation rules: which of what arrives is evaluated, how much of it, by what, and from which of its fields."""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import Field
from pydantic.dataclasses import dataclass

from heliograph.domain.filters import Condition
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.project_evaluators import EvaluatorType

# The key of a score's metadata that names its rule.
RULE_KEY = "evaluation_rule_id"
MAX_ACTIVE_RULES = 50
MAX_EVALUATORS = 100
MAX_DELAY = timedelta(days=7)
SAMPLING = "langfuse:evaluation-sampling:v1\0"
_BITS = 53


class RuleTarget(StrEnum):
    """What is evaluated. Traces and sessions are when they have been idle for the rule's delay."""

    OBSERVATION = "observation"
    EXPERIMENT = "experiment"
    TRACE = "trace"
    SESSION = "session"


class TimeScope(StrEnum):
    """Whether a rule is about what arrives from now on, or also about what is stored already."""

    NEW = "NEW"
    EXISTING = "EXISTING"


class MappingSource(StrEnum):
    """The field of a target that fills a variable."""

    INPUT = "input"
    OUTPUT = "output"
    METADATA = "metadata"
    TOOL_CALLS = "tool_calls"
    EXPECTED_OUTPUT = "expected_output"
    EXPERIMENT_ITEM_METADATA = "experiment_item_metadata"
    TRACE = "trace"
    SESSION = "session"


_OF_EVERYTHING = (MappingSource.INPUT, MappingSource.OUTPUT, MappingSource.METADATA, MappingSource.TOOL_CALLS)
# Which sources a target has.
SOURCES: dict[RuleTarget, tuple[MappingSource, ...]] = {
    RuleTarget.OBSERVATION: _OF_EVERYTHING,
    RuleTarget.EXPERIMENT: (
        *_OF_EVERYTHING,
        MappingSource.EXPECTED_OUTPUT,
        MappingSource.EXPERIMENT_ITEM_METADATA,
    ),
    RuleTarget.TRACE: (*_OF_EVERYTHING, MappingSource.TRACE),
    RuleTarget.SESSION: (MappingSource.SESSION,),
}
# How long a target must have been at rest: late spans of a trace arrive within seconds, turns of a session do not.
DELAYS: dict[RuleTarget, timedelta] = {
    RuleTarget.OBSERVATION: timedelta(0),
    RuleTarget.EXPERIMENT: timedelta(0),
    RuleTarget.TRACE: timedelta(seconds=10),
    RuleTarget.SESSION: timedelta(minutes=5),
}


class VariableMapping(NamedTuple):
    """What fills a variable: a field of the target, or what a JSONPath finds in it."""

    variable: str
    source: MappingSource
    json_path: str = ""


@dataclass(frozen=True)
class Block:
    """Why a rule that is enabled does not run until a person has acted."""

    reason: str
    message: str
    at: datetime


@dataclass(frozen=True)
class Assignment:
    """An evaluator of a rule, and how its variables are filled."""

    evaluator_id: str
    name: str
    type: EvaluatorType
    mapping: tuple[VariableMapping, ...]


@dataclass(frozen=True, kw_only=True)
class NewRule:
    """A rule as it is to be kept; assignments need no more than the id of their evaluator.

    `budget_usd` is of the run over what is stored already; without one it may cost what it was estimated at most.
    """

    name: Annotated[str, Field(min_length=1, max_length=255)]
    target: RuleTarget
    is_enabled: bool
    assignments: tuple[Assignment, ...]
    sampling: Annotated[float, Field(gt=0, le=1)] = 1.0
    filter: tuple[Condition, ...] = ()
    delay: Annotated[timedelta, Field(ge=timedelta(0), le=MAX_DELAY)] = timedelta(0)
    time_scope: tuple[TimeScope, ...] = (TimeScope.NEW,)
    budget_usd: Annotated[float, Field(ge=0)] | None = None


@dataclass(frozen=True, kw_only=True)
class EvaluationRule(NewRule):
    """A rule. What was stored before `active_since` is not new to it: that is for the run `backfill_run_id`, if any."""

    id: str
    project_id: ProjectId
    block: Block | None
    active_since: datetime
    created_at: datetime
    updated_at: datetime
    backfill_run_id: str = ""

    @property
    def status(self) -> Literal["active", "inactive", "paused"]:
        """The contract's status: active, inactive or paused."""
        if not self.is_enabled:
            return "inactive"
        return "active" if self.block is None else "paused"


def sample_place(target_id: str) -> float:
    """Where a target stands between 0 and 1, for every rule and run alike: one of a share takes what is below it.

    So a larger share holds every smaller one, and raising it evaluates nothing again.
    """
    digest = hashlib.sha256((SAMPLING + target_id).encode("utf-8", "surrogatepass")).digest()
    return float((int.from_bytes(digest[:8], "big") >> (64 - _BITS)) / (1 << _BITS))


def is_internal(environment: str) -> bool:
    """Whether an environment is Heliograph's own, and nothing of it is evaluated by a rule: judges would judge judges.

    That of experiments with prompts is not: they exist to be evaluated.
    """
    if environment == "langfuse-prompt-experiment":
        return False
    return environment.startswith("langfuse") or environment == "llm-as-a-judge"
