"""Experiments that the server runs itself, and how far they are."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, update

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import PromptExperimentNotFound
from heliograph.domain.prompt_experiments import PromptExperiment, PromptExperimentPlan, PromptExperimentStatus
from storage.postgres.connection import Database
from storage.postgres.tables.prompt_experiments import PromptExperimentRow

_MOST_LISTED = 200
_RUNNING = PromptExperimentRow.status == PromptExperimentStatus.RUNNING


class Unfinished(NamedTuple):
    """An experiment that somebody has to run, and whose it is."""

    project_id: ProjectId
    experiment: PromptExperiment


class PromptExperiments:
    """Those of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self._own = PromptExperimentRow.project_id == project_id

    async def add(self, plans: Sequence[PromptExperimentPlan]) -> list[PromptExperiment]:
        """Keep plans, which are run from now on."""
        rows = [
            PromptExperimentRow(
                project_id=self._project_id,
                plan=plan.model_dump(mode="json"),
                status=PromptExperimentStatus.RUNNING,
                message="",
                items=0,
                done=0,
                failures={},
            )
            for plan in plans
        ]
        async with self._database.transaction() as session:
            session.add_all(rows)
            await session.flush()
            for row in rows:
                await session.refresh(row)
            return list(map(_experiment, rows))

    async def all(self) -> list[PromptExperiment]:
        """Return the newest, newest first."""
        query = select(PromptExperimentRow).where(self._own).order_by(PromptExperimentRow.created_at.desc())
        async with self._database.transaction() as session:
            return [_experiment(row) for row in await session.scalars(query.limit(_MOST_LISTED))]

    async def get(self, experiment_id: str) -> PromptExperiment:
        """Return one; raises PromptExperimentNotFound."""
        async with self._database.transaction() as session:
            row = await session.scalar(
                select(PromptExperimentRow).where(self._own, PromptExperimentRow.id == experiment_id)
            )
        if row is None:
            raise PromptExperimentNotFound(experiment_id)
        return _experiment(row)

    async def resume(self, experiment_id: str) -> PromptExperiment:
        """Have it run what is not done: what failed or was cancelled, too; raises PromptExperimentNotFound."""
        return await self._set(experiment_id, PromptExperimentStatus.RUNNING, PromptExperimentRow.id == experiment_id)

    async def cancel(self, experiment_id: str) -> PromptExperiment:
        """Have it stop after the calls that are under way; raises PromptExperimentNotFound."""
        return await self._set(experiment_id, PromptExperimentStatus.CANCELLED, _RUNNING)

    async def _set(
        self, experiment_id: str, status: PromptExperimentStatus, where: ColumnElement[bool]
    ) -> PromptExperiment:
        changing = update(PromptExperimentRow).where(self._own, PromptExperimentRow.id == experiment_id, where)
        async with self._database.transaction() as session:
            await session.execute(changing.values(status=status, message="", updated_at=func.now()))
        return await self.get(experiment_id)


class AllPromptExperiments:
    """Those of all projects, for whoever runs them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unfinished(self) -> list[Unfinished]:
        """Return what is to be run, the oldest first."""
        query = select(PromptExperimentRow).where(_RUNNING).order_by(PromptExperimentRow.created_at)
        async with self._database.transaction() as session:
            return [Unfinished(ProjectId(row.project_id), _experiment(row)) for row in await session.scalars(query)]

    async def is_wanted(self, experiment_id: str) -> bool:
        """Whether it is still to be run."""
        query = select(PromptExperimentRow.id).where(_RUNNING, PromptExperimentRow.id == experiment_id)
        async with self._database.transaction() as session:
            return await session.scalar(query) is not None

    async def note(self, experiment_id: str, *, items: int, done: int, failures: Mapping[str, str]) -> None:
        """Note how far it is."""
        await self._change(experiment_id, items=items, done=done, failures=dict(failures))

    async def end(self, experiment_id: str, status: PromptExperimentStatus, message: str = "") -> None:
        """Note that it ended, unless somebody has cancelled it."""
        await self._change(experiment_id, status=status, message=message)

    async def _change(self, experiment_id: str, **values: object) -> None:
        changing = update(PromptExperimentRow).where(PromptExperimentRow.id == experiment_id, _RUNNING)
        async with self._database.transaction() as session:
            await session.execute(changing.values(**values, updated_at=func.now()))


def _experiment(row: PromptExperimentRow) -> PromptExperiment:
    return PromptExperiment(
        id=row.id,
        plan=PromptExperimentPlan.model_validate(row.plan),
        status=PromptExperimentStatus(row.status),
        message=row.message,
        items=row.items,
        done=row.done,
        failures=row.failures,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
