"""Model definitions of projects."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.model_documents import tier_document, tier_from
from heliograph.domain.models import Model, TokenizerConfig
from heliograph.domain.not_found import ModelNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.models import ModelRow

# The newest change, and how many there are, since a deletion leaves no time behind.
_VERSION = select(func.count(), func.max(ModelRow.updated_at)).select_from(ModelRow)


class Models:
    """The definitions of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._own = ModelRow.project_id == project_id
        self._project_id = project_id

    async def all(self) -> list[Model]:
        """Return the project's definitions, oldest first."""
        query = select(ModelRow).where(self._own).order_by(ModelRow.created_at, ModelRow.id)
        async with self._database.transaction() as session:
            return [_model(row) for row in await session.scalars(query)]

    async def get(self, model_id: str) -> Model:
        """Return one definition; raises ModelNotFound."""
        async with self._database.transaction() as session:
            row = await session.scalar(select(ModelRow).where(self._own, ModelRow.id == model_id))
        if row is None:
            raise ModelNotFound(model_id)
        return _model(row)

    async def create(self, model: Model) -> Model:
        """Keep a definition under an id of its own; raises InvalidRequest when its name is taken."""
        row = ModelRow(project_id=self._project_id, **_values(model))
        async with self._database.transaction() as session:
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return _model(row)

    async def put(self, model: Model) -> Model:
        """Keep a definition under its id, in the place of the one that has it.

        Raises:
            InvalidRequest: its name is taken.
            ModelNotFound: the id is another project's.
        """
        values = _values(model)
        putting = insert(ModelRow).values(id=model.id, project_id=self._project_id, **values)
        changed = values | {"updated_at": func.clock_timestamp()}
        putting = putting.on_conflict_do_update(index_elements=[ModelRow.id], set_=changed, where=self._own)
        async with self._database.transaction() as session:
            row = await session.scalar(putting.returning(ModelRow))
            if row is None:
                raise ModelNotFound(model.id)
            return _model(row)

    async def delete(self, model_id: str) -> None:
        """Remove a definition; raises ModelNotFound."""
        removing = delete(ModelRow).where(self._own, ModelRow.id == model_id).returning(ModelRow.id)
        async with self._database.transaction() as session:
            if await session.scalar(removing) is None:
                raise ModelNotFound(model_id)


class AllModels:
    """The definitions of all projects, for those that price events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> str:
        """Return a text that changes whenever a definition does."""
        async with self._database.transaction() as session:
            count, newest = (await session.execute(_VERSION)).one()
        return f"{count} {newest}"

    async def all(self) -> list[Model]:
        """Return every definition of every project that is not deleted."""
        async with self._database.transaction() as session:
            return [_model(row) for row in await session.scalars(select(ModelRow).order_by(ModelRow.created_at))]


def _values(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "match_pattern": model.match_pattern,
        "start_date": model.start_date,
        "unit": model.unit,
        "tokenizer_id": model.tokenizer_id,
        "tokenizer_config": asdict(model.tokenizer),
        "tiers": list(map(tier_document, model.tiers)),
    }


def _model(row: ModelRow) -> Model:
    return Model(
        id=row.id,
        name=row.name,
        match_pattern=row.match_pattern,
        tiers=tuple(map(tier_from, row.tiers)),
        start_date=row.start_date,
        unit=row.unit,
        tokenizer_id=row.tokenizer_id,
        tokenizer=TokenizerConfig(**row.tokenizer_config),
        project_id=row.project_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
