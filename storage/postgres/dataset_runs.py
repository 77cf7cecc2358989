"""Runs over datasets, as clients report them."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import case, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.datasets import run_id
from heliograph.domain.experiments import Cuts, DatasetRun, DatasetRunItem, ReportedItem
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import DatasetItemNotFound
from storage.postgres.connection import Database
from storage.postgres.dataset_items import valid
from storage.postgres.tables.datasets import DatasetItemRow, DatasetRunItemRow, DatasetRunRow
from storage.postgres.tables.declarative import fresh_id

# What a query of ClickHouse takes along.
_MAX_CUTS = 3000


class DatasetRuns:
    """The reported runs of one project, and which runs and experiments are deleted."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self._own = DatasetRunRow.project_id == project_id

    async def report(self, reported: ReportedItem) -> DatasetRunItem:
        """Note that an item ran, in the run of that name; saying it again adds nothing. Raises DatasetItemNotFound."""
        async with self._database.transaction() as session:
            dataset_id = await self._dataset_of(session, reported)
            run = await self._put_run(session, dataset_id, reported)
            return _run_item(await self._put_item(session, run.id, reported), run.name)

    async def of_dataset(self, dataset_id: str) -> list[DatasetRun]:
        """Return every run of a dataset that was reported and not deleted since, oldest first."""
        query = select(DatasetRunRow).where(
            self._own, DatasetRunRow.dataset_id == dataset_id, DatasetRunRow.is_reported
        )
        async with self._database.transaction() as session:
            rows = await session.scalars(query.order_by(DatasetRunRow.created_at, DatasetRunRow.id))
            return [_run(row) for row in rows]

    async def items_of(self, run: DatasetRun) -> list[DatasetRunItem]:
        """Return every item that was reported of a run, in the order in which they were."""
        query = select(DatasetRunItemRow).where(
            DatasetRunItemRow.project_id == self._project_id, DatasetRunItemRow.run_id == run.id
        )
        async with self._database.transaction() as session:
            rows = await session.scalars(query.order_by(DatasetRunItemRow.created_at, DatasetRunItemRow.id))
            return [_run_item(row, run.name) for row in rows]

    async def delete(self, runs: Sequence[DatasetRun]) -> None:
        """Delete runs; what was sent to them until now belongs to them no longer."""
        values = [
            {
                "project_id": self._project_id,
                "id": run.id,
                "dataset_id": run.dataset_id,
                "name": run.name,
                "is_reported": False,
                "created_at": run.created_at,
                "updated_at": func.clock_timestamp(),
                "deleted_at": func.clock_timestamp(),
            }
            for run in sorted(runs, key=lambda run: run.id)
        ]
        if not values:
            return
        noting = insert(DatasetRunRow).values(values)
        changed = {"is_reported": False, "updated_at": func.clock_timestamp(), "deleted_at": func.clock_timestamp()}
        own = DatasetRunItemRow.project_id == self._project_id
        async with self._database.transaction() as session:
            await session.execute(noting.on_conflict_do_update(constraint="pk_dataset_runs", set_=changed))
            ids = [run.id for run in runs]
            await session.execute(delete(DatasetRunItemRow).where(own, DatasetRunItemRow.run_id.in_(ids)))

    async def cuts(self, dataset_id: str | None = None) -> Cuts:
        """Return which runs were deleted, and when: of a dataset or of the project, the newest of them."""
        query = select(DatasetRunRow.id, DatasetRunRow.deleted_at).where(
            self._own, DatasetRunRow.deleted_at.is_not(None)
        )
        if dataset_id is not None:
            query = query.where(DatasetRunRow.dataset_id == dataset_id)
        async with self._database.transaction() as session:
            found = await session.execute(query.order_by(DatasetRunRow.deleted_at.desc()).limit(_MAX_CUTS))
            return {run: at for run, at in found.tuples() if at is not None}

    async def _dataset_of(self, session: AsyncSession, reported: ReportedItem) -> str:
        version = reported.dataset_version
        query = select(DatasetItemRow.dataset_id).where(
            DatasetItemRow.project_id == self._project_id,
            DatasetItemRow.id == reported.dataset_item_id,
            valid(version if version is None or version.tzinfo else version.replace(tzinfo=UTC)),
        )
        dataset_id: str | None = await session.scalar(query)
        if dataset_id is None:
            raise DatasetItemNotFound(reported.dataset_item_id)
        return dataset_id

    async def _put_run(self, session: AsyncSession, dataset_id: str, reported: ReportedItem) -> DatasetRunRow:
        now = func.clock_timestamp()
        putting = insert(DatasetRunRow).values(
            project_id=self._project_id,
            id=run_id(self._project_id, dataset_id, reported.run_name),
            dataset_id=dataset_id,
            name=reported.run_name,
            description=reported.run_description,
            details=reported.metadata,
            is_reported=True,
            created_at=now,
            updated_at=now,
        )
        new = putting.excluded

        def kept(sent: Any, column: Any) -> Any:
            """What there is, unless the run was deleted meanwhile and starts anew."""
            return case((DatasetRunRow.is_reported, func.coalesce(sent, column)), else_=sent)

        # By the names of columns: `metadata` is no attribute of a row.
        changed = {
            "description": kept(new.description, DatasetRunRow.description),
            "created_at": case((DatasetRunRow.is_reported, DatasetRunRow.created_at), else_=new.created_at),
            "updated_at": now,
            "is_reported": True,
        }
        if reported.metadata is not None:
            changed["metadata"] = new.metadata
        else:
            changed["metadata"] = case((DatasetRunRow.is_reported, DatasetRunRow.details), else_=None)
        upsert = putting.on_conflict_do_update(constraint="pk_dataset_runs", set_=changed).returning(DatasetRunRow)
        return (await session.scalars(upsert, execution_options={"populate_existing": True})).one()

    async def _put_item(self, session: AsyncSession, run: str, reported: ReportedItem) -> DatasetRunItemRow:
        at = reported.created_at
        created_at = func.clock_timestamp() if at is None else at if at.tzinfo else at.replace(tzinfo=UTC)
        putting = insert(DatasetRunItemRow).values(
            id=fresh_id(),
            project_id=self._project_id,
            run_id=run,
            dataset_item_id=reported.dataset_item_id,
            trace_id=reported.trace_id,
            observation_id=reported.observation_id,
            created_at=created_at,
            updated_at=func.clock_timestamp(),
        )
        upsert = putting.on_conflict_do_update(
            constraint="uq_dataset_run_items_once", set_={"updated_at": func.clock_timestamp()}
        ).returning(DatasetRunItemRow)
        return (await session.scalars(upsert)).one()


def _run(row: DatasetRunRow) -> DatasetRun:
    return DatasetRun(
        id=row.id,
        dataset_id=row.dataset_id,
        name=row.name,
        description=row.description,
        metadata=row.details,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _run_item(row: DatasetRunItemRow, run_name: str) -> DatasetRunItem:
    return DatasetRunItem(
        id=row.id,
        run_id=row.run_id,
        run_name=run_name,
        dataset_item_id=row.dataset_item_id,
        trace_id=row.trace_id,
        observation_id=row.observation_id or None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
