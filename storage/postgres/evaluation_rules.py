"""Evaluation rules of projects."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import any_, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.evaluation_errors import NameConflict
from heliograph.domain.evaluation_rules import (
    MAX_ACTIVE_RULES,
    Assignment,
    Block,
    EvaluationRule,
    MappingSource,
    NewRule,
    RuleTarget,
    TimeScope,
    VariableMapping,
)
from heliograph.domain.filters import Condition, Creation, Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import EvaluationRuleNotFound
from heliograph.domain.project_evaluators import EvaluatorType
from storage.postgres.connection import Database
from storage.postgres.evaluation_jobs import RuleExecutions
from storage.postgres.tables.evaluation_rules import EvaluationRuleRow, RuleEvaluatorRow
from storage.postgres.tables.evaluators import EvaluatorRow

_CONDITIONS: TypeAdapter[tuple[Condition, ...]] = TypeAdapter(tuple[Condition, ...])
_IS_ACTIVE = EvaluationRuleRow.is_enabled & EvaluationRuleRow.blocked_reason.is_(None)


class EvaluationRules:
    """The rules of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self._own = EvaluationRuleRow.project_id == project_id

    async def page(self, page: Page) -> tuple[list[EvaluationRule], int]:
        """Return one page, the newest first, and how many there are."""
        order = (EvaluationRuleRow.created_at.desc(), EvaluationRuleRow.id.desc())
        query = select(EvaluationRuleRow).where(self._own).order_by(*order).limit(page.size).offset(page.offset)
        async with self._database.transaction() as session:
            total = await session.scalar(select(func.count()).select_from(EvaluationRuleRow).where(self._own))
            return await _rules(session, list(await session.scalars(query))), total or 0

    async def older(self, than: Creation | None, limit: int) -> list[EvaluationRule]:
        """Return the newest that were created before that one."""
        order = (EvaluationRuleRow.created_at.desc(), EvaluationRuleRow.id.desc())
        query = select(EvaluationRuleRow).where(self._own).order_by(*order).limit(limit)
        if than is not None:
            query = query.where(tuple_(EvaluationRuleRow.created_at, EvaluationRuleRow.id) < tuple_(*than))
        async with self._database.transaction() as session:
            return await _rules(session, list(await session.scalars(query)))

    async def using(self, evaluator_ids: Collection[str]) -> list[EvaluationRule]:
        """Return the rules that use one of these, the newest first."""
        used = select(RuleEvaluatorRow.rule_id).where(RuleEvaluatorRow.evaluator_id.in_(evaluator_ids))
        query = select(EvaluationRuleRow).where(self._own, EvaluationRuleRow.id.in_(used))
        async with self._database.transaction() as session:
            return await _rules(
                session, list(await session.scalars(query.order_by(EvaluationRuleRow.created_at.desc())))
            )

    async def get(self, rule_id: str) -> EvaluationRule:
        """Return one rule; raises EvaluationRuleNotFound."""
        async with self._database.transaction() as session:
            (rule,) = await _rules(session, [await self._row(session, rule_id)])
            return rule

    async def create(self, new: NewRule) -> EvaluationRule:
        """Keep a rule under an id of its own.

        Raises:
            NameConflict: there is a rule of that name, or there are too many active ones.
        """
        row = EvaluationRuleRow(project_id=self._project_id, **_values(new))
        async with self._database.transaction() as session:
            await self._check(session, new, "")
            session.add(row)
            await session.flush()
            self._assign(session, row.id, new.assignments)
            await session.flush()
            await session.refresh(row)
            (rule,) = await _rules(session, [row])
            return rule

    async def replace(self, rule_id: str, changed: NewRule, *, is_resumed: bool) -> EvaluationRule:
        """Give a rule these values, and where it is resumed, take its block away.

        One that becomes active sees what arrives from now on.

        Raises:
            EvaluationRuleNotFound: there is none of that id.
            NameConflict: as of `create`.
        """
        async with self._database.transaction() as session:
            row = await self._row(session, rule_id, is_locked=True)
            await self._check(session, changed, rule_id)
            if is_resumed and not (row.is_enabled and row.blocked_reason is None):
                row.active_since = func.now()
            for name, value in _values(changed).items():
                setattr(row, name, value)
            if is_resumed:
                row.blocked_reason = row.blocked_message = row.blocked_at = None
            row.updated_at = func.now()
            await session.execute(delete(RuleEvaluatorRow).where(RuleEvaluatorRow.rule_id == rule_id))
            self._assign(session, rule_id, changed.assignments)
            await session.flush()
            await session.refresh(row)
            (rule,) = await _rules(session, [row])
            return rule

    async def note_backfill(self, rule_id: str, run_id: str) -> EvaluationRule:
        """Note which run evaluates what is stored already, and return the rule; raises EvaluationRuleNotFound."""
        async with self._database.transaction() as session:
            row = await self._row(session, rule_id, is_locked=True)
            row.backfill_run_id = run_id
            await session.flush()
            (rule,) = await _rules(session, [row])
            return rule

    async def delete(self, rule_id: str) -> None:
        """Delete a rule with its jobs; its scores stay. Raises EvaluationRuleNotFound."""
        removing = delete(EvaluationRuleRow).where(self._own, EvaluationRuleRow.id == rule_id)
        async with self._database.transaction() as session:
            if await session.scalar(removing.returning(EvaluationRuleRow.id)) is None:
                raise EvaluationRuleNotFound(rule_id)

    async def executions(self, rule_id: str) -> RuleExecutions:
        """Return what came of a rule; raises EvaluationRuleNotFound."""
        async with self._database.transaction() as session:
            await self._row(session, rule_id)
        return RuleExecutions(self._database, self._project_id, rule_id)

    def _assign(self, session: AsyncSession, rule_id: str, assignments: Sequence[Assignment]) -> None:
        session.add_all(
            RuleEvaluatorRow(
                rule_id=rule_id,
                evaluator_id=one.evaluator_id,
                project_id=self._project_id,
                position=position,
                mapping=[mapping._asdict() for mapping in one.mapping],
            )
            for position, one in enumerate(assignments)
        )

    async def _check(self, session: AsyncSession, new: NewRule, rule_id: str) -> None:
        """Raise NameConflict where the project has no place for the rule; of two at once the second waits here."""
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(self._project_id, 16))))
        others = select(EvaluationRuleRow.id).where(self._own, EvaluationRuleRow.id != rule_id)
        taken = await session.scalar(others.where(EvaluationRuleRow.name == new.name))
        if taken is not None:
            reason = f"there is an evaluation rule {new.name!r} already, with the id {taken}: change that one"
            raise NameConflict.of("name_conflict", reason, {"field": "name"})
        active = await session.scalar(select(func.count()).select_from(others.where(_IS_ACTIVE).subquery()))
        if new.is_enabled and (active or 0) >= MAX_ACTIVE_RULES:
            reason = f"a project has at most {MAX_ACTIVE_RULES} active rules: disable another one first"
            raise NameConflict.of("conflict", reason, {"field": "enabled", "limit": MAX_ACTIVE_RULES})

    async def _row(self, session: AsyncSession, rule_id: str, *, is_locked: bool = False) -> EvaluationRuleRow:
        query = select(EvaluationRuleRow).where(self._own, EvaluationRuleRow.id == rule_id)
        row = await session.scalar(query.with_for_update() if is_locked else query)
        if row is None:
            raise EvaluationRuleNotFound(rule_id)
        return row


class AllEvaluationRules:
    """The rules of all projects, for those that carry them out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def active(self) -> list[EvaluationRule]:
        """Return every active rule about what arrives."""
        query = select(EvaluationRuleRow).where(_IS_ACTIVE, any_(EvaluationRuleRow.time_scope) == TimeScope.NEW.value)
        async with self._database.transaction() as session:
            return await _rules(session, list(await session.scalars(query)))

    async def are_any_active(self) -> bool:
        """Return whether there is one at all."""
        async with self._database.transaction() as session:
            return await session.scalar(select(EvaluationRuleRow.id).where(_IS_ACTIVE).limit(1)) is not None

    async def of(self, rule_ids: Collection[str]) -> dict[str, EvaluationRule]:
        """Return those of these that exist, by id."""
        query = select(EvaluationRuleRow).where(EvaluationRuleRow.id.in_(rule_ids))
        async with self._database.transaction() as session:
            return {rule.id: rule for rule in await _rules(session, list(await session.scalars(query)))}

    async def block(self, rule_id: str, reason: str, message: str) -> None:
        """Pause a rule until a person has acted; the first reason stays."""
        blocking = update(EvaluationRuleRow).where(
            EvaluationRuleRow.id == rule_id, EvaluationRuleRow.blocked_reason.is_(None)
        )
        async with self._database.transaction() as session:
            await session.execute(
                blocking.values(blocked_reason=reason, blocked_message=message, blocked_at=func.now())
            )


async def _rules(session: AsyncSession, rows: Sequence[EvaluationRuleRow]) -> list[EvaluationRule]:
    query = (
        select(RuleEvaluatorRow, EvaluatorRow.name, EvaluatorRow.type)
        .join(EvaluatorRow, EvaluatorRow.id == RuleEvaluatorRow.evaluator_id)
        .where(RuleEvaluatorRow.rule_id.in_([row.id for row in rows]))
        .order_by(RuleEvaluatorRow.rule_id, RuleEvaluatorRow.position)
    )
    assigned: dict[str, list[Assignment]] = {row.id: [] for row in rows}
    for one, name, type_ in await session.execute(query) if rows else ():
        mapping = tuple(
            VariableMapping(each["variable"], MappingSource(each["source"]), each["json_path"]) for each in one.mapping
        )
        assigned[one.rule_id].append(Assignment(one.evaluator_id, name, EvaluatorType(type_), mapping))
    return [_rule(row, tuple(assigned[row.id])) for row in rows]


def _values(new: NewRule) -> dict[str, Any]:
    return {
        "name": new.name,
        "target": new.target,
        "is_enabled": new.is_enabled,
        "sampling": new.sampling,
        "filter": _CONDITIONS.dump_python(new.filter, mode="json"),
        "delay_ms": round(new.delay.total_seconds() * 1_000),
        "time_scope": [str(scope) for scope in new.time_scope],
        "budget_usd": new.budget_usd,
    }


def _rule(row: EvaluationRuleRow, assignments: tuple[Assignment, ...]) -> EvaluationRule:
    block = None
    if row.blocked_reason is not None and row.blocked_at is not None:
        block = Block(row.blocked_reason, row.blocked_message or "", row.blocked_at)
    return EvaluationRule(
        id=row.id,
        project_id=ProjectId(row.project_id),
        name=row.name,
        target=RuleTarget(row.target),
        is_enabled=row.is_enabled,
        assignments=assignments,
        sampling=row.sampling,
        filter=_CONDITIONS.validate_python(row.filter),
        delay=timedelta(milliseconds=row.delay_ms),
        time_scope=tuple(TimeScope(scope) for scope in row.time_scope),
        budget_usd=row.budget_usd,
        backfill_run_id=row.backfill_run_id,
        block=block,
        active_since=row.active_since,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
