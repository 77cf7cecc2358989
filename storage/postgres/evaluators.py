"""Evaluators of projects, in versions, and the model that their judges ask unless they name one."""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Select, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.evaluation_errors import NameConflict
from heliograph.domain.filters import Creation, Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import EvaluatorNotFound
from heliograph.domain.project_evaluators import (
    Definition,
    EvaluatorType,
    EvaluatorVersion,
    Language,
    ModelChoice,
    Output,
    ProjectEvaluator,
)
from storage.postgres.connection import Database
from storage.postgres.tables.declarative import fresh_id
from storage.postgres.tables.evaluation_rules import EvaluationRuleRow, RuleEvaluatorRow
from storage.postgres.tables.evaluators import EvaluationModelRow, EvaluatorRow, EvaluatorVersionRow

_OUTPUT: TypeAdapter[Output] = TypeAdapter(Output)
_Found = Row[EvaluatorRow, EvaluatorVersionRow, int]


class Evaluators:
    """The evaluators of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id

    async def page(self, page: Page) -> tuple[list[ProjectEvaluator], int]:
        """Return one page, the newest first, each in its latest version; and how many there are."""
        query = self._latest().order_by(EvaluatorRow.created_at.desc(), EvaluatorRow.id.desc())
        own = EvaluatorRow.project_id == self._project_id
        async with self._database.transaction() as session:
            total = await session.scalar(select(func.count()).select_from(EvaluatorRow).where(own))
            found = await session.execute(query.limit(page.size).offset(page.offset))
            return [_evaluator(row) for row in found], total or 0

    async def older(self, than: Creation | None, limit: int) -> list[ProjectEvaluator]:
        """Return the newest that were created before that one, each in its latest version."""
        query = self._latest().order_by(EvaluatorRow.created_at.desc(), EvaluatorRow.id.desc()).limit(limit)
        if than is not None:
            query = query.where(tuple_(EvaluatorRow.created_at, EvaluatorRow.id) < tuple_(*than))
        async with self._database.transaction() as session:
            return [_evaluator(row) for row in await session.execute(query)]

    async def get(self, evaluator_id: str) -> ProjectEvaluator:
        """Return the latest version of an evaluator; raises EvaluatorNotFound."""
        return await self._one(EvaluatorRow.id == evaluator_id, evaluator_id)

    async def named(self, name: str) -> ProjectEvaluator:
        """Return the latest version of the evaluator of this name; raises EvaluatorNotFound."""
        return await self._one(EvaluatorRow.name == name, repr(name))

    async def versions(self, evaluator_id: str) -> list[EvaluatorVersion]:
        """Return every version of an evaluator, the newest first; raises EvaluatorNotFound."""
        query = (
            select(EvaluatorRow.type, EvaluatorVersionRow)
            .join(EvaluatorVersionRow, EvaluatorVersionRow.evaluator_id == EvaluatorRow.id)
            .where(EvaluatorRow.project_id == self._project_id, EvaluatorRow.id == evaluator_id)
            .order_by(EvaluatorVersionRow.version.desc())
        )
        async with self._database.transaction() as session:
            found = [
                EvaluatorVersion(
                    version=row.version, definition=_definition(EvaluatorType(type_), row), created_at=row.created_at
                )
                for type_, row in await session.execute(query)
            ]
        if not found:
            raise EvaluatorNotFound(evaluator_id)
        return found

    async def save(self, name: str, definition: Definition, *, is_first: bool = False) -> ProjectEvaluator:
        """Keep a definition as the next version of the evaluator of this name, which may be its first.

        Raises:
            NameConflict: the evaluator of this name is of the other type, or there is one where this is the first.
        """
        async with self._database.transaction() as session:
            row = await self._counted_up(session, name, definition.type)
            if is_first and row.version > 1:
                raise _taken(name)
            if row.type != definition.type:
                reason = f"there is an evaluator {name!r} of type {row.type}: choose another name"
                raise NameConflict.of("conflict", reason, {"field": "name", "evaluatorName": name})
            session.add(_version_row(row, definition))
            evaluator_id = row.id
        return await self.get(evaluator_id)

    async def change(self, evaluator_id: str, name: str | None, definition: Definition | None) -> ProjectEvaluator:
        """Rename an evaluator, or keep its next version, or both.

        Raises:
            EvaluatorNotFound: there is none of that id.
            NameConflict: the name is another one's, or the definition is of the other type.
        """
        named = select(EvaluatorRow.id).where(EvaluatorRow.project_id == self._project_id, EvaluatorRow.name == name)
        own = EvaluatorRow.project_id == self._project_id
        async with self._database.transaction() as session:
            query = select(EvaluatorRow).where(own, EvaluatorRow.id == evaluator_id).with_for_update()
            row = await session.scalar(query)
            if row is None:
                raise EvaluatorNotFound(evaluator_id)
            if name is not None:
                if await session.scalar(named) not in {None, evaluator_id}:
                    raise _taken(name)
                row.name = name
            if definition is not None:
                if row.type != definition.type:
                    raise NameConflict.of("conflict", f"the evaluator is of type {row.type}", {"field": "type"})
                row.version += 1
                session.add(_version_row(row, definition))
            row.updated_at = func.now()
        return await self.get(evaluator_id)

    async def delete(self, evaluator_id: str) -> None:
        """Delete an evaluator with its versions, and rules that have no other one; raises EvaluatorNotFound.

        Scores that it gave stay.
        """
        own = EvaluatorRow.project_id == self._project_id
        removing = delete(EvaluatorRow).where(own, EvaluatorRow.id == evaluator_id).returning(EvaluatorRow.id)
        assigned = select(RuleEvaluatorRow.rule_id).where(RuleEvaluatorRow.evaluator_id == evaluator_id)
        async with self._database.transaction() as session:
            rules = list(await session.scalars(assigned))
            if await session.scalar(removing) is None:
                raise EvaluatorNotFound(evaluator_id)
            left = select(RuleEvaluatorRow.rule_id).where(RuleEvaluatorRow.rule_id == EvaluationRuleRow.id).exists()
            await session.execute(delete(EvaluationRuleRow).where(EvaluationRuleRow.id.in_(rules), ~left))

    async def default_model(self) -> ModelChoice | None:
        """Return the model that judges ask unless their evaluators name one."""
        query = select(EvaluationModelRow.model).where(EvaluationModelRow.project_id == self._project_id)
        async with self._database.transaction() as session:
            found = await session.scalar(query)
        return None if found is None else ModelChoice.model_validate(found)

    async def set_default_model(self, model: ModelChoice | None) -> None:
        """Choose that model, or none."""
        own = EvaluationModelRow.project_id == self._project_id
        async with self._database.transaction() as session:
            if model is None:
                await session.execute(delete(EvaluationModelRow).where(own))
                return
            putting = insert(EvaluationModelRow).values(project_id=self._project_id, model=model.document())
            chosen = {"model": putting.excluded.model, "updated_at": func.now()}
            await session.execute(putting.on_conflict_do_update(index_elements=["project_id"], set_=chosen))

    async def _counted_up(self, session: AsyncSession, name: str, type_: EvaluatorType) -> EvaluatorRow:
        # Made before it is locked, so that of two first versions at once one becomes the second.
        making = insert(EvaluatorRow).values(
            id=fresh_id(), project_id=self._project_id, name=name, type=type_, version=0
        )
        await session.execute(making.on_conflict_do_nothing(index_elements=["project_id", "name"]))
        query = select(EvaluatorRow).where(EvaluatorRow.project_id == self._project_id, EvaluatorRow.name == name)
        row = (await session.scalars(query.with_for_update())).one()
        row.version += 1
        row.updated_at = func.now()
        return row

    async def _one(self, condition: Any, name: str) -> ProjectEvaluator:
        async with self._database.transaction() as session:
            row = (await session.execute(self._latest().where(condition))).one_or_none()
        if row is None:
            raise EvaluatorNotFound(name)
        return _evaluator(row)

    def _latest(self) -> Select[EvaluatorRow, EvaluatorVersionRow, int]:
        rules = (
            select(func.count())
            .select_from(RuleEvaluatorRow)
            .where(RuleEvaluatorRow.evaluator_id == EvaluatorRow.id)
            .scalar_subquery()
        )
        latest = (EvaluatorVersionRow.evaluator_id == EvaluatorRow.id) & (
            EvaluatorVersionRow.version == EvaluatorRow.version
        )
        query = select(EvaluatorRow, EvaluatorVersionRow, rules).join(EvaluatorVersionRow, latest)
        return query.where(EvaluatorRow.project_id == self._project_id)


def _evaluator(found: _Found) -> ProjectEvaluator:
    row, version, rules = found
    return ProjectEvaluator(
        id=row.id,
        project_id=ProjectId(row.project_id),
        name=row.name,
        version=row.version,
        definition=_definition(EvaluatorType(row.type), version),
        rule_count=rules,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version_created_at=version.created_at,
    )


def _version_row(row: EvaluatorRow, definition: Definition) -> EvaluatorVersionRow:
    return EvaluatorVersionRow(
        evaluator_id=row.id,
        version=row.version,
        project_id=row.project_id,
        prompt=definition.prompt,
        output=definition.output.document() if definition.output else None,
        model=definition.model.document() if definition.model else None,
        source_code=definition.source_code,
        language=definition.language,
    )


def _taken(name: str) -> NameConflict:
    reason = f"there is an evaluator {name!r} already: choose another name, or change that one"
    return NameConflict.of("conflict", reason, {"field": "name", "evaluatorName": name})


def _definition(type_: EvaluatorType, row: EvaluatorVersionRow) -> Definition:
    return Definition(
        type=type_,
        prompt=row.prompt,
        output=None if row.output is None else _OUTPUT.validate_python(row.output),
        model=None if row.model is None else ModelChoice.model_validate(row.model),
        source_code=row.source_code,
        language=Language(row.language),
    )
