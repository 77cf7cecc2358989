"""The items of a project's datasets, in all their versions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.datasets import DatasetItem, ItemChange, ItemFilter, ItemStatus
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import DatasetItemNotFound, DatasetNotFound
from storage.postgres.connection import Database
from storage.postgres.datasets import ItemSchemas, locked
from storage.postgres.tables.datasets import DatasetItemRow, DatasetRow
from storage.postgres.tables.declarative import fresh_id

Outcome = DatasetItem | InvalidRequest

# What clients read of a version and send back has milliseconds.
_TICK = timedelta(milliseconds=1)
_INSTANT = timedelta(microseconds=1)
_ITEMS = select(DatasetItemRow, DatasetRow.name).join(DatasetRow, DatasetRow.id == DatasetItemRow.dataset_id)


class DatasetItems:
    """The items of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self._own = DatasetItemRow.project_id == project_id

    async def put(self, dataset_name: str, changes: Sequence[ItemChange]) -> list[Outcome]:
        """Create items, or new versions of those that there are; one outcome each, and what is refused costs no other.

        Raises DatasetNotFound.
        """
        async with self._database.transaction() as session:
            dataset = await locked(session, self._project_id, dataset_name)
            schemas = ItemSchemas(dataset.input_schema, dataset.expected_output_schema)
            writer = _Writer(dataset, schemas, await _now(session))
            await writer.read(session, sorted({change.id for change in changes if change.id}))
            outcomes = [writer.put(change) for change in changes]
            session.add_all(writer.rows)
            return outcomes

    async def get(self, item_id: str) -> DatasetItem:
        """Return the current version of an item; raises DatasetItemNotFound."""
        query = _ITEMS.where(self._own, DatasetItemRow.id == item_id, valid(None))
        async with self._database.transaction() as session:
            found = (await session.execute(query)).tuples().first()
        if found is None:
            raise DatasetItemNotFound(item_id)
        return _item(*found)

    async def versions(self, item_id: str) -> list[DatasetItem]:
        """Return every version of an item, the newest first; raises DatasetItemNotFound."""
        query = _ITEMS.where(self._own, DatasetItemRow.id == item_id).order_by(DatasetItemRow.valid_from.desc())
        async with self._database.transaction() as session:
            found = [_item(*row) for row in (await session.execute(query)).tuples()]
        if not found:
            raise DatasetItemNotFound(item_id)
        return found

    async def delete(self, item_id: str) -> None:
        """End an item; its versions stay for whoever reads the past. Raises DatasetItemNotFound."""
        query = select(DatasetItemRow).where(self._own, DatasetItemRow.id == item_id, valid(None))
        async with self._database.transaction() as session:
            row = await session.scalar(query.with_for_update())
            if row is None:
                raise DatasetItemNotFound(item_id)
            row.valid_to = max(_ticks(await _now(session)), row.valid_from + _TICK)

    async def page(self, asked: ItemFilter, page: Page) -> tuple[list[DatasetItem], int]:
        """Return one page of the items in the order in which they were created, and how many there are.

        Raises DatasetNotFound.
        """
        async with self._database.transaction() as session:
            where = await self._where(session, asked)
            total = await session.scalar(select(func.count()).select_from(DatasetItemRow).where(*where))
            query = _ITEMS.where(*where).order_by(DatasetItemRow.created_at, DatasetItemRow.id)
            rows = await session.execute(query.limit(page.size).offset(page.offset))
            return [_item(*row) for row in rows.tuples()], int(total or 0)

    async def ids(self, asked: ItemFilter) -> list[str]:
        """Return the ids of all such items, in their order; raises DatasetNotFound."""
        async with self._database.transaction() as session:
            query = select(DatasetItemRow.id).where(*await self._where(session, asked))
            return list(await session.scalars(query.order_by(DatasetItemRow.id)))

    async def _where(self, session: AsyncSession, asked: ItemFilter) -> list[ColumnElement[bool]]:
        where = [self._own, valid(asked.version)]
        if asked.dataset_name is not None:
            where.append(DatasetItemRow.dataset_id == await self._dataset_id(session, asked.dataset_name))
        for column, value in (
            (DatasetItemRow.source_trace_id, asked.source_trace_id),
            (DatasetItemRow.source_observation_id, asked.source_observation_id),
            (DatasetItemRow.status, asked.status),
        ):
            if value is not None:
                where.append(column == value)
        return where

    async def _dataset_id(self, session: AsyncSession, name: str) -> str:
        """The dataset of that name, else of the one that it encodes: SDKs of the second version encode names twice."""
        decoded = unquote(name)
        named = select(DatasetRow.name, DatasetRow.id).where(
            DatasetRow.project_id == self._project_id, DatasetRow.name.in_({name, decoded})
        )
        ids = dict((await session.execute(named)).tuples().all())
        found = ids.get(name) or ids.get(decoded)
        if found is None:
            raise DatasetNotFound(name)
        return found


class _Writer:
    """Makes the next versions of items of a dataset that is locked."""

    def __init__(self, dataset: DatasetRow, schemas: ItemSchemas, now: datetime) -> None:
        self.rows: list[DatasetItemRow] = []
        self._dataset = dataset
        self._schemas = schemas
        self._now = now
        self._current: dict[str, DatasetItemRow] = {}
        self._ended: dict[str, datetime] = {}
        self._foreign: set[str] = set()

    async def read(self, session: AsyncSession, ids: Sequence[str]) -> None:
        """Read what is there of these items."""
        own = (DatasetItemRow.project_id == self._dataset.project_id, DatasetItemRow.id.in_(ids))
        last = select(DatasetItemRow.id, DatasetItemRow.dataset_id, func.max(DatasetItemRow.valid_to)).where(*own)
        for item_id, dataset_id, ended in await session.execute(
            last.group_by(DatasetItemRow.id, DatasetItemRow.dataset_id)
        ):
            if dataset_id != self._dataset.id:
                self._foreign.add(item_id)
            elif ended is not None:
                self._ended[item_id] = ended
        current = select(DatasetItemRow).where(*own, DatasetItemRow.valid_to.is_(None))
        self._current = {row.id: row for row in await session.scalars(current.with_for_update())}

    def put(self, change: ItemChange) -> Outcome:
        """The next version of an item, which ends the one before."""
        if change.id in self._foreign:
            return InvalidRequest("id", f"{change.id!r} is an item of another dataset")
        before = self._current.get(change.id)
        row = self._next(change, before)
        if (problem := self._schemas.problem(row)) is not None:
            return problem
        if before is not None:
            before.valid_to = row.valid_from
        self._current[row.id] = row
        self.rows.append(row)
        return _item(row, self._dataset.name)

    def _next(self, change: ItemChange, before: DatasetItemRow | None) -> DatasetItemRow:
        self._now += _INSTANT
        earliest = before.valid_from + _TICK if before is not None else self._ended.get(change.id)
        moment = _ticks(self._now)
        sent = {
            "status": change.status,
            "input": change.input,
            "expected_output": change.expected_output,
            "details": change.metadata,
            "source_trace_id": change.source_trace_id,
            "source_observation_id": change.source_observation_id,
        }
        kept = {name: getattr(before, name, None) if value is None else value for name, value in sent.items()}
        return DatasetItemRow(
            project_id=self._dataset.project_id,
            id=change.id or fresh_id(),
            valid_from=moment if earliest is None else max(moment, earliest),
            dataset_id=self._dataset.id,
            created_at=before.created_at if before is not None else self._now,
            **(kept | {"status": kept["status"] or ItemStatus.ACTIVE}),
        )


def valid(version: datetime | None) -> ColumnElement[bool]:
    """Rows that are current, or were at a moment."""
    if version is None:
        return DatasetItemRow.valid_to.is_(None)
    is_open = or_(DatasetItemRow.valid_to.is_(None), DatasetItemRow.valid_to > version)
    return (DatasetItemRow.valid_from <= version) & is_open


async def _now(session: AsyncSession) -> datetime:
    """The server's time, after waiting for locks: not that of the transaction's begin."""
    now: Any = await session.scalar(select(func.clock_timestamp()))
    assert isinstance(now, datetime)
    return now


def _ticks(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _item(row: DatasetItemRow, dataset_name: str) -> DatasetItem:
    return DatasetItem(
        id=row.id,
        dataset_id=row.dataset_id,
        dataset_name=dataset_name,
        status=ItemStatus(row.status),
        input=row.input,
        expected_output=row.expected_output,
        metadata=row.details,
        source_trace_id=row.source_trace_id,
        source_observation_id=row.source_observation_id,
        created_at=row.created_at,
        valid_from=row.valid_from,
    )
