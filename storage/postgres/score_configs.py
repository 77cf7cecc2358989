"""Score configs of projects."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain import score_configs
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import ScoreConfigNotFound
from heliograph.domain.score_configs import Category, ScoreConfig
from heliograph.domain.scores import ScoreDataType
from storage.postgres.connection import Database
from storage.postgres.tables.score_configs import ScoreConfigRow

SCORE_CONFIGS_CHANNEL = "score_configs"


class ScoreConfigs:
    """The configs of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._own = ScoreConfigRow.project_id == project_id
        self._project_id = project_id

    async def page(self, page: Page) -> tuple[list[ScoreConfig], int]:
        """Return one page, the newest first, and how many there are."""
        count = select(func.count()).select_from(ScoreConfigRow).where(self._own)
        order = (ScoreConfigRow.created_at.desc(), ScoreConfigRow.id.desc())
        query = select(ScoreConfigRow).where(self._own).order_by(*order).limit(page.size).offset(page.offset)
        async with self._database.transaction() as session:
            total = await session.scalar(count)
            return [_config(row) for row in await session.scalars(query)], total or 0

    async def get(self, config_id: str) -> ScoreConfig:
        """Return one config; raises ScoreConfigNotFound."""
        async with self._database.transaction() as session:
            return _config(await self._row(session, config_id))

    async def of(self, config_ids: Collection[str]) -> dict[str, ScoreConfig]:
        """Return those of these that exist, by id."""
        # PostgreSQL knows no NUL, and so no id that holds it.
        storable = [each for each in config_ids if "\0" not in each]
        query = select(ScoreConfigRow).where(self._own, ScoreConfigRow.id.in_(storable))
        async with self._database.transaction() as session:
            return {row.id: _config(row) for row in await session.scalars(query)}

    async def create(self, config: ScoreConfig) -> ScoreConfig:
        """Keep a config under an id of its own; raises InvalidRequest."""
        score_configs.check(config)
        row = ScoreConfigRow(project_id=self._project_id, **_values(config))
        async with self._database.transaction() as session:
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return _config(row)

    async def change(self, config_id: str, **changes: Any) -> ScoreConfig:
        """Give these fields other values; every replica is told.

        Raises:
            ScoreConfigNotFound: there is none of that id.
            InvalidRequest: with these changes it would not be a config.
        """
        async with self._database.transaction() as session:
            row = await self._row(session, config_id, is_locked=True)
            changed = replace(_config(row), **changes)
            score_configs.check(changed)
            for name, value in _values(changed).items():
                setattr(row, name, value)
            row.updated_at = func.now()
            await session.flush()
            await session.refresh(row)
            await session.execute(select(func.pg_notify(SCORE_CONFIGS_CHANNEL, self._project_id)))
            return _config(row)

    async def _row(self, session: AsyncSession, config_id: str, *, is_locked: bool = False) -> ScoreConfigRow:
        query = select(ScoreConfigRow).where(self._own, ScoreConfigRow.id == config_id)
        row = await session.scalar(query.with_for_update() if is_locked else query)
        if row is None:
            raise ScoreConfigNotFound(config_id)
        return row


def _values(config: ScoreConfig) -> dict[str, Any]:
    return {
        "name": config.name,
        "data_type": config.data_type,
        "categories": [category._asdict() for category in config.categories],
        "min_value": config.min_value,
        "max_value": config.max_value,
        "description": config.description,
        "is_archived": config.is_archived,
    }


def _config(row: ScoreConfigRow) -> ScoreConfig:
    return ScoreConfig(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        data_type=ScoreDataType(row.data_type),
        categories=tuple(Category(**category) for category in row.categories),
        min_value=row.min_value,
        max_value=row.max_value,
        description=row.description,
        is_archived=row.is_archived,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
