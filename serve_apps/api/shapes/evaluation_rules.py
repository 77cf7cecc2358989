"""Evaluation rules as the API shows and takes them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal, NotRequired

from pydantic import Field, TypeAdapter

from heliograph.domain.evaluation_jobs import Execution, JobState
from heliograph.domain.evaluation_rules import (
    MAX_DELAY,
    MAX_EVALUATORS,
    Assignment,
    EvaluationRule,
    MappingSource,
    RuleTarget,
    TimeScope,
    VariableMapping,
)
from heliograph.domain.evaluation_runs import MAX_BUDGET_USD
from heliograph.domain.filters import MAX_CONDITIONS, Condition
from heliograph.domain.project_evaluators import EvaluatorType
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.evaluators import SCOPE
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.values import ConditionShape, Instant, JsonShape, iso, optional_iso

_MAX_DELAY_MS = round(MAX_DELAY.total_seconds() * 1_000)
_CONDITIONS: TypeAdapter[tuple[Condition, ...]] = TypeAdapter(tuple[Condition, ...])


class MappingBody(Body):
    """What fills one variable."""

    variable: Annotated[Text, Field(min_length=1, max_length=255)]
    source: MappingSource
    json_path: Annotated[Text, Field(max_length=1_000)] | None = None

    @property
    def mapping(self) -> VariableMapping:
        """What it declares."""
        return VariableMapping(self.variable, self.source, self.json_path or "")


Mappings = Annotated[list[MappingBody], Field(max_length=100)]


class EvaluatorReference(Body):
    """The family of an evaluator, by its name, or one by its id; its latest version counts."""

    id: Annotated[Text, Field(max_length=255)] = ""
    name: Annotated[Text, Field(max_length=255)] = ""
    scope: Literal["project", "managed"] = "project"
    type: EvaluatorType | None = None


class AssignedEvaluator(EvaluatorReference):
    """One of several evaluators of a rule, with its own mapping."""

    mapping: Mappings | None = None


_Filter = Annotated[tuple[Condition, ...], Field(max_length=MAX_CONDITIONS)]
Sampling = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Delay = Annotated[int, Field(ge=0, le=_MAX_DELAY_MS)]
Name = Annotated[Text, Field(min_length=1, max_length=255)]
Evaluators = Annotated[list[AssignedEvaluator], Field(min_length=1, max_length=MAX_EVALUATORS)]
Scopes = Annotated[list[TimeScope], Field(min_length=1, max_length=2)]


class RuleChange(Body):
    """What of a rule is to change; what is absent stays."""

    name: Name | None = None
    evaluator: EvaluatorReference | None = None
    evaluators: Evaluators | None = None
    target: RuleTarget | None = None
    enabled: bool | None = None
    sampling: Sampling | None = None
    filter: _Filter | None = None
    mapping: Mappings | None = None
    delay: Delay | None = None
    time_scope: Scopes | None = None
    # Of the run over what is stored already; Heliograph's own.
    budget_usd: Annotated[float, Field(ge=0, le=MAX_BUDGET_USD)] | None = None

    @property
    def references(self) -> list[AssignedEvaluator] | None:
        """The evaluators that are named, one or several; None where none are."""
        if self.evaluators is not None:
            return self.evaluators
        if self.evaluator is None:
            return None
        return [AssignedEvaluator.model_construct(**dict(self.evaluator), mapping=self.mapping)]


class RuleBody(RuleChange):
    """A rule to be created."""

    name: Name
    target: RuleTarget
    enabled: bool


class MappingShape(JsonShape):
    """What fills one variable: a field of the target, or what a JSONPath finds in it."""

    variable: str
    source: str
    jsonPath: NotRequired[str]


# What every code evaluator is given.
_OF_CODE: Sequence[MappingShape] = (
    {"variable": "input", "source": "input"},
    {"variable": "output", "source": "output"},
    {"variable": "metadata", "source": "metadata"},
    {"variable": "toolCalls", "source": "tool_calls"},
    {"variable": "experimentItemExpectedOutput", "source": "expected_output"},
    {"variable": "experimentItemMetadata", "source": "experiment_item_metadata"},
)


class EvaluatorOfRule(JsonShape):
    """An evaluator of a rule."""

    id: str
    name: str
    scope: Literal["project"]
    type: EvaluatorType


class MappedEvaluator(JsonShape):
    """An evaluator of a rule, and what fills its variables."""

    id: str
    name: str
    scope: Literal["project"]
    type: EvaluatorType
    mapping: Sequence[MappingShape]


class EvaluationRuleShape(JsonShape):
    """A rule with all of its evaluators; `evaluator` and `mapping` are those of the first one.

    `delay` is in milliseconds; a paused rule has its reason.
    """

    id: str
    name: str
    evaluator: EvaluatorOfRule | None
    evaluators: Sequence[MappedEvaluator]
    target: RuleTarget
    enabled: bool
    status: Literal["active", "inactive", "paused"]
    pausedReason: str | None
    pausedMessage: str | None
    sampling: float
    filter: Sequence[ConditionShape]
    mapping: Sequence[MappingShape]
    delay: int
    timeScope: Sequence[TimeScope]
    budgetUsd: float | None
    backfillRunId: str | None
    createdAt: Instant
    updatedAt: Instant


class ExecutionShape(JsonShape):
    """What came of a rule for one target."""

    id: str
    evaluatorId: str
    target: RuleTarget
    traceId: str | None
    observationId: str | None
    sessionId: str | None
    status: JobState
    attempts: int
    cause: str | None
    error: str | None
    scoreIds: Sequence[str]
    executionTraceId: str | None
    dueAt: Instant
    createdAt: Instant
    finishedAt: Instant | None


def rule_shape(rule: EvaluationRule) -> EvaluationRuleShape:
    """The contract's rule, with all of its evaluators beside the first one."""
    first = rule.assignments[0] if rule.assignments else None
    return {
        "id": rule.id,
        "name": rule.name,
        "evaluator": None if first is None else _evaluator_shape(first),
        "evaluators": [{**_evaluator_shape(one), "mapping": mapping_shape(one)} for one in rule.assignments],
        "target": rule.target,
        "enabled": rule.is_enabled,
        "status": rule.status,
        "pausedReason": rule.block.reason if rule.block and rule.is_enabled else None,
        "pausedMessage": rule.block.message if rule.block and rule.is_enabled else None,
        "sampling": rule.sampling,
        "filter": filter_shape(rule.filter),
        "mapping": [] if first is None else mapping_shape(first),
        "delay": milliseconds(rule.delay),
        "timeScope": rule.time_scope,
        "budgetUsd": rule.budget_usd,
        "backfillRunId": rule.backfill_run_id or None,
        "createdAt": iso(rule.created_at),
        "updatedAt": iso(rule.updated_at),
    }


def execution_shape(execution: Execution) -> ExecutionShape:
    """What came of a rule for one target."""
    target, is_session = execution.target, execution.target.kind is RuleTarget.SESSION
    return {
        "id": execution.id,
        "evaluatorId": execution.evaluator_id,
        "target": target.kind,
        "traceId": target.trace_id or None,
        "observationId": target.id if target.is_whole else None,
        "sessionId": target.id if is_session else None,
        "status": execution.state,
        "attempts": execution.attempts,
        "cause": execution.cause or None,
        "error": execution.message or None,
        "scoreIds": list(execution.score_ids),
        "executionTraceId": execution.execution_trace_id or None,
        "dueAt": iso(execution.due_at),
        "createdAt": iso(execution.created_at),
        "finishedAt": optional_iso(execution.finished_at),
    }


def filter_shape(conditions: Sequence[Condition]) -> list[ConditionShape]:
    """Conditions as they were sent; one on absence has the contract's empty value."""
    shapes: list[ConditionShape] = _CONDITIONS.dump_python(tuple(conditions), mode="json")
    return [{**shape, "value": ""} if shape["type"] == "null" else shape for shape in shapes]


def milliseconds(delay: timedelta) -> int:
    """A time as the contract counts it."""
    return round(delay.total_seconds() * 1_000)


def _evaluator_shape(one: Assignment) -> EvaluatorOfRule:
    return {"id": one.evaluator_id, "name": one.name, "scope": SCOPE, "type": one.type}


def mapping_shape(one: Assignment) -> Sequence[MappingShape]:
    """What fills the variables of an evaluator of a rule."""
    if one.type is EvaluatorType.CODE:
        return _OF_CODE
    return [_variable_shape(each) for each in one.mapping]


def _variable_shape(mapping: VariableMapping) -> MappingShape:
    shape: MappingShape = {"variable": mapping.variable, "source": mapping.source.value}
    return {**shape, "jsonPath": mapping.json_path} if mapping.json_path else shape
