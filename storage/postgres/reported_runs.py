"""The runs that clients reported item by item, read as the current generation reads experiments."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, func, select, tuple_

from heliograph.domain.experiments import (
    EXPERIMENT_METADATA,
    ITEM_METADATA,
    PREFIX,
    Experiment,
    RanItem,
)
from heliograph.domain.filters import Condition, Creation
from heliograph.domain.identifiers import ProjectId
from storage.postgres.conditions import Columns, terms
from storage.postgres.connection import Database
from storage.postgres.dataset_items import valid
from storage.postgres.tables.datasets import DatasetItemRow, DatasetRunItemRow, DatasetRunRow

# Clients may name a time of their own, and say the same again.
_SEEN = func.least(DatasetRunItemRow.created_at, DatasetRunItemRow.updated_at)
_RUN_COLUMNS: Columns = {
    "id": DatasetRunRow.id,
    "name": DatasetRunRow.name,
    "datasetId": DatasetRunRow.dataset_id,
    "startTime": DatasetRunItemRow.created_at,
    "createdAt": _SEEN,
}
_ITEM_COLUMNS: Columns = {
    "experimentId": DatasetRunRow.id,
    "experimentName": DatasetRunRow.name,
    "experimentItemId": DatasetRunItemRow.dataset_item_id,
    "datasetId": DatasetRunRow.dataset_id,
    "traceId": DatasetRunItemRow.trace_id,
    "startTime": DatasetRunItemRow.created_at,
}
_FIRST, _LAST = func.min(DatasetRunItemRow.created_at), func.max(DatasetRunItemRow.created_at)
_OF_RUN = (DatasetRunItemRow.project_id == DatasetRunRow.project_id) & (DatasetRunItemRow.run_id == DatasetRunRow.id)
_OF_ITEM = (
    (DatasetItemRow.project_id == DatasetRunItemRow.project_id)
    & (DatasetItemRow.id == DatasetRunItemRow.dataset_item_id)
    & valid(None)
)


class ReportedRuns:
    """The reported runs of one project. An item of one began, as far as is known, when it was reported."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._own = (DatasetRunRow.project_id == project_id) & DatasetRunRow.is_reported

    async def ids(self) -> set[str]:
        """Return the ids of all of them."""
        async with self._database.transaction() as session:
            return set(await session.scalars(select(DatasetRunRow.id).where(self._own)))

    async def page(
        self, ids: Collection[str], conditions: Sequence[Condition], *, limit: int, after: Creation | None
    ) -> list[Experiment]:
        """Return those of these runs whose items meet all conditions, the latest activity first."""
        query = select(DatasetRunRow, _FIRST, _LAST, func.count()).join(DatasetRunItemRow, _OF_RUN)
        query = query.where(*self._chosen(ids), *terms(_RUN_COLUMNS, conditions))
        query = query.group_by(DatasetRunRow.project_id, DatasetRunRow.id)
        if after is not None:
            query = query.having(tuple_(_LAST, DatasetRunRow.id) < tuple_(*after))
        query = query.order_by(_LAST.desc(), DatasetRunRow.id.desc()).limit(limit)
        async with self._database.transaction() as session:
            rows = (await session.execute(query)).tuples()
            return [
                Experiment(
                    id=run.id,
                    name=run.name,
                    dataset_id=run.dataset_id,
                    start_time=first,
                    end_time=last,
                    item_count=count,
                    description=run.description or "",
                    metadata=_told(EXPERIMENT_METADATA, run.details),
                )
                for run, first, last, count in rows
            ]

    async def items(
        self, ids: Collection[str], conditions: Sequence[Condition], *, limit: int, after: Creation | None
    ) -> list[RanItem]:
        """Return the items of these runs that meet all conditions, the last that was reported first."""
        query = select(DatasetRunItemRow, DatasetRunRow, DatasetItemRow)
        query = query.join(DatasetRunRow, _OF_RUN).outerjoin(DatasetItemRow, _OF_ITEM)
        query = query.where(*self._chosen(ids), *terms(_ITEM_COLUMNS, conditions))
        if after is not None:
            query = query.where(tuple_(DatasetRunItemRow.created_at, DatasetRunItemRow.id) < tuple_(*after))
        query = query.order_by(DatasetRunItemRow.created_at.desc(), DatasetRunItemRow.id.desc()).limit(limit)
        async with self._database.transaction() as session:
            return [_ran(*row) for row in (await session.execute(query)).tuples()]

    def _chosen(self, ids: Collection[str]) -> tuple[ColumnElement[bool], ...]:
        return self._own, DatasetRunRow.id == func.any(list(ids))


def _ran(ran: DatasetRunItemRow, run: DatasetRunRow, item: DatasetItemRow | None) -> RanItem:
    metadata = {
        f"{PREFIX}id": run.id,
        f"{PREFIX}name": run.name,
        f"{PREFIX}description": run.description or "",
        f"{PREFIX}dataset.id": run.dataset_id,
        f"{PREFIX}item.id": ran.dataset_item_id,
        **_told(EXPERIMENT_METADATA, run.details),
    }
    if item is not None:
        expected = "" if item.expected_output is None else _text(item.expected_output)
        metadata |= {f"{PREFIX}item.expected_output": expected, **_told(ITEM_METADATA, item.details)}
    return RanItem(ran.id, ran.trace_id, ran.observation_id, ran.created_at, metadata)


def _told(prefix: str, value: Any) -> Mapping[str, str]:
    """Metadata as the attributes of a span would tell it."""
    if isinstance(value, dict):
        return {f"{prefix}.{key}": _text(each) for key, each in value.items()}
    return {} if value is None else {prefix: _text(value)}


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
