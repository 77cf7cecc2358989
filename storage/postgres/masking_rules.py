"""Masking rules of projects."""

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.masking import MAX_RULES, MaskedField, MaskingRule, RuleKind
from heliograph.domain.not_found import MaskingRuleNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.masking_rules import MaskingRuleRow

# Rules are never changed, so that their ids are all there is to know.
_IN_ORDER = aggregate_order_by(literal(","), MaskingRuleRow.id)
_VERSION = select(func.md5(func.string_agg(MaskingRuleRow.id, _IN_ORDER)))
_ORDER = (MaskingRuleRow.created_at, MaskingRuleRow.id)


class MaskingRules:
    """The rules of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._own = MaskingRuleRow.project_id == project_id
        self._project_id = project_id

    async def all(self) -> list[MaskingRule]:
        """Return the project's rules in the order in which they are applied: the oldest first."""
        async with self._database.transaction() as session:
            return [
                _rule(row) for row in await session.scalars(select(MaskingRuleRow).where(self._own).order_by(*_ORDER))
            ]

    async def add(self, rule: MaskingRule) -> MaskingRule:
        """Keep a rule under an id of its own; raises InvalidRequest when there is the same, or too many."""
        row = MaskingRuleRow(
            project_id=self._project_id,
            kind=rule.kind,
            target=rule.target,
            field=rule.field,
            replacement=rule.replacement,
            is_fail_closed=rule.is_fail_closed,
            headers=list(rule.headers),
        )
        async with self._database.transaction() as session:
            known = await session.scalar(select(func.count()).select_from(MaskingRuleRow).where(self._own))
            if (known or 0) >= MAX_RULES:
                raise InvalidRequest("rule", f"is one too many: a project has at most {MAX_RULES}")
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return _rule(row)

    async def remove(self, rule_id: str) -> None:
        """Remove a rule; raises MaskingRuleNotFound."""
        removing = delete(MaskingRuleRow).where(self._own, MaskingRuleRow.id == rule_id).returning(MaskingRuleRow.id)
        async with self._database.transaction() as session:
            if await session.scalar(removing) is None:
                raise MaskingRuleNotFound(rule_id)


class AllMaskingRules:
    """The rules of all projects, for those that mask events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> str:
        """Return a text that changes whenever a rule is added or removed."""
        async with self._database.transaction() as session:
            return await session.scalar(_VERSION) or ""

    async def all(self) -> list[MaskingRule]:
        """Return every rule of every project, oldest first."""
        async with self._database.transaction() as session:
            return [_rule(row) for row in await session.scalars(select(MaskingRuleRow).order_by(*_ORDER))]


def _rule(row: MaskingRuleRow) -> MaskingRule:
    return MaskingRule(
        id=row.id,
        kind=RuleKind(row.kind),
        target=row.target,
        field=MaskedField(row.field),
        replacement=row.replacement,
        is_fail_closed=row.is_fail_closed,
        headers=tuple(row.headers),
        project_id=row.project_id,
        created_at=row.created_at,
    )
