"""The datasets of a project."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.datasets import Dataset, NewDataset, check_name
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import DatasetNotFound
from storage.json_schemas import JsonSchema
from storage.postgres.connection import Database
from storage.postgres.tables.datasets import DatasetItemRow, DatasetRow

_CHECKED_AT_ONCE = 500
_MAX_PROBLEMS = 10


class Datasets:
    """The datasets of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self._own = DatasetRow.project_id == project_id

    async def put(self, new: NewDataset) -> Dataset:
        """Create a dataset, or change the one of that name, and return it.

        Raises:
            InvalidRequest: a name or a schema cannot be used, or current items do not meet a schema.
        """
        check_name(new.name)
        schemas = ItemSchemas(new.input_schema, new.expected_output_schema)
        fresh = {"project_id": self._project_id, "name": new.name}
        async with self._database.transaction() as session:
            await session.execute(insert(DatasetRow).values(fresh).on_conflict_do_nothing())
            row = await locked(session, self._project_id, new.name)
            if schemas.any:
                await _check_items(session, row.id, schemas)
            _change(row, new)
            row.updated_at = func.clock_timestamp()
            await session.flush()
            await session.refresh(row)
            return _dataset(row)

    async def get(self, name: str) -> Dataset:
        """Return one dataset; raises DatasetNotFound."""
        async with self._database.transaction() as session:
            row = await session.scalar(select(DatasetRow).where(self._own, DatasetRow.name == name))
        if row is None:
            raise DatasetNotFound(name)
        return _dataset(row)

    async def by_id(self, dataset_id: str) -> Dataset:
        """Return one dataset; raises DatasetNotFound."""
        async with self._database.transaction() as session:
            row = await session.scalar(select(DatasetRow).where(self._own, DatasetRow.id == dataset_id))
        if row is None:
            raise DatasetNotFound(dataset_id)
        return _dataset(row)

    async def page(self, page: Page) -> tuple[list[Dataset], int]:
        """Return one page of the datasets, oldest first, and how many there are."""
        query = select(DatasetRow).where(self._own).order_by(DatasetRow.created_at, DatasetRow.id)
        async with self._database.transaction() as session:
            total = await session.scalar(select(func.count()).select_from(DatasetRow).where(self._own))
            rows = await session.scalars(query.limit(page.size).offset(page.offset))
            return [_dataset(row) for row in rows], int(total or 0)

    async def item_counts(self) -> dict[str, int]:
        """How many items each dataset has now, by its id; absent where there is none."""
        current = (DatasetItemRow.project_id == self._project_id, DatasetItemRow.valid_to.is_(None))
        query = select(DatasetItemRow.dataset_id, func.count()).where(*current).group_by(DatasetItemRow.dataset_id)
        async with self._database.transaction() as session:
            return dict((await session.execute(query)).tuples().all())


class ItemSchemas:
    """What the items of a dataset are held to; None holds them to nothing. Raises InvalidRequest."""

    def __init__(self, input_schema: object, expected_output_schema: object) -> None:
        self._schemas: Sequence[tuple[str, str, JsonSchema | None]] = (
            ("input", "input", _schema(input_schema, "inputSchema")),
            ("expectedOutput", "expected_output", _schema(expected_output_schema, "expectedOutputSchema")),
        )

    @property
    def any(self) -> bool:
        """Whether there is a schema."""
        return any(schema is not None for _, _, schema in self._schemas)

    def problem(self, item: DatasetItemRow) -> InvalidRequest | None:
        """What is wrong with an item, naming it and the path; an absent expected output is nothing to check."""
        for field, attribute, schema in self._schemas:
            value = getattr(item, attribute)
            if schema is None or (value is None and field == "expectedOutput"):
                continue
            if (problem := schema.problem(value)) is not None:
                return InvalidRequest(field, f"item {item.id!r}, {problem}")
        return None


async def locked(session: AsyncSession, project_id: ProjectId, name: str) -> DatasetRow:
    """Lock a dataset, so that nobody else changes its items meanwhile; raises DatasetNotFound."""
    query = select(DatasetRow).where(DatasetRow.project_id == project_id, DatasetRow.name == name)
    row = await session.scalar(query.with_for_update(key_share=True))
    if row is None:
        raise DatasetNotFound(name)
    return row


async def _check_items(session: AsyncSession, dataset_id: str, schemas: ItemSchemas) -> None:
    """Raise InvalidRequest when current items do not meet the schemas, naming the first of them."""
    problems: list[str] = []
    last = ""
    current = select(DatasetItemRow).where(DatasetItemRow.dataset_id == dataset_id, DatasetItemRow.valid_to.is_(None))
    while len(problems) < _MAX_PROBLEMS:
        query = current.where(DatasetItemRow.id > last).order_by(DatasetItemRow.id).limit(_CHECKED_AT_ONCE)
        rows = list(await session.scalars(query))
        problems += [str(problem) for row in rows if (problem := schemas.problem(row)) is not None]
        if len(rows) < _CHECKED_AT_ONCE:
            break
        last = rows[-1].id
        session.expunge_all()
    if problems:
        raise InvalidRequest("items", f"some do not meet the schema: {'; '.join(problems[:_MAX_PROBLEMS])}")


def _schema(schema: object, field: str) -> JsonSchema | None:
    return None if schema is None else JsonSchema(schema, field)


def _change(row: DatasetRow, new: NewDataset) -> None:
    changes = {
        "description": new.description,
        "details": new.metadata,
        "input_schema": new.input_schema,
        "expected_output_schema": new.expected_output_schema,
    }
    for name, value in changes.items():
        if value is not None:
            setattr(row, name, value)


def _dataset(row: DatasetRow) -> Dataset:
    return Dataset(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        description=row.description,
        metadata=row.details,
        input_schema=row.input_schema,
        expected_output_schema=row.expected_output_schema,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
