"""An evaluator of a project in a run: under the rule for which it judges, as both were when the run was planned."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from heliograph.domain.evaluation_jobs import RuleEvaluator, Target
from heliograph.domain.evaluation_rules import RuleTarget, VariableMapping
from heliograph.domain.filters import Condition
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.project_evaluators import Definition


class TargetKey(NamedTuple):
    """What is judged: an observation of a trace, or a trace, whose `observation_id` is empty."""

    trace_id: str
    observation_id: str = ""


class RuleSpec(BaseModel):
    """The rule, and what its evaluator said.

    Attributes:
        conditions: those of the rule's filter that only the payload can tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    project_id: ProjectId
    rule_id: str
    evaluator_id: str
    target: RuleTarget
    definition: Definition
    mapping: tuple[VariableMapping, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def by(self, version: str) -> RuleEvaluator:
        """What judges."""
        return RuleEvaluator(self.project_id, self.rule_id, version)

    def target_of(self, key: TargetKey) -> Target:
        """The target as the rule names it."""
        return Target(self.target, key.observation_id or key.trace_id, key.trace_id, 0)
