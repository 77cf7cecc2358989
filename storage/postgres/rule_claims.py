"""What rules have claimed of what is stored: targets that they will judge themselves, and a run leaves to them."""

from collections.abc import Sequence

from sqlalchemy import select

from heliograph.domain.evaluation_jobs import OPEN
from heliograph.domain.evaluation_rules import RuleTarget
from heliograph.domain.rule_specs import RuleSpec, TargetKey
from storage.postgres.connection import Database
from storage.postgres.tables.evaluation_jobs import EvaluationJobRow


class RuleClaims:
    """The open jobs of rules. Whichever version they were matched for, they will be judged by the present one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, rule: RuleSpec, targets: Sequence[TargetKey]) -> frozenset[TargetKey]:
        """Those of the targets on which the rule has a job for the same evaluator that has not ended."""
        row = EvaluationJobRow
        query = select(row.trace_id, row.target_id).where(
            row.rule_id == rule.rule_id,
            row.evaluator_id == rule.evaluator_id,
            row.status.in_(OPEN),
            row.target_id.in_([rule.target_of(target).id for target in targets]),
        )
        async with self._database.transaction() as session:
            found = (await session.execute(query)).all()
        is_whole = rule.target is RuleTarget.TRACE
        return frozenset(TargetKey(trace_id, "" if is_whole else target_id) for trace_id, target_id in found)
