"""What the pages ask about evaluation rules and what came of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.state import ListState
from heliograph.domain.evaluation_jobs import Execution, JobState
from heliograph.domain.evaluation_rules import EvaluationRule
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from storage.postgres.connection import Database
from storage.postgres.evaluation_jobs import ProjectTallies
from storage.postgres.evaluation_rules import EvaluationRules


@dataclass(frozen=True)
class CountedRule:
    """A rule, and how many of its executions are in which state."""

    rule: EvaluationRule
    tally: Mapping[JobState, int]


@dataclass(frozen=True)
class RulePage:
    """One page of rules, and how many there are."""

    rules: Sequence[CountedRule]
    total: int


class RuleQueries:
    """The questions about the rules of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._rules, self._tallies = EvaluationRules(database, project_id), ProjectTallies(database, project_id)

    async def page(self, wanted: ListState) -> RulePage:
        """The wanted page of the rules, the newest first."""
        found, total = await self._rules.page(Page(wanted.page, wanted.size))
        tallies = await self._tallies.of_rules([rule.id for rule in found])
        return RulePage([CountedRule(rule, tallies[rule.id]) for rule in found], total)

    async def rule(self, rule_id: str) -> CountedRule:
        """One rule; raises EvaluationRuleNotFound."""
        rule = await self._rules.get(rule_id)
        return CountedRule(rule, (await self._tallies.of_rules([rule_id]))[rule_id])

    async def executions(
        self, rule_id: str, wanted: ListState, state: JobState | None
    ) -> tuple[list[Execution], int]:  # fmt: skip
        """The wanted page of what came of a rule, and how many there are; raises EvaluationRuleNotFound."""
        return await (await self._rules.executions(rule_id)).page(Page(wanted.page, wanted.size), state)
