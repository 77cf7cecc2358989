"""Lists of prompts: one entry a name, whatever its versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.prompts import PromptSummary, PromptType
from storage.postgres.connection import Database

# One pass over the versions that the filters leave; the last of them gives the configuration.
_SUMMARIES = """
WITH chosen AS (
    SELECT v.name, v.version, v.config, v.updated_at
    FROM prompt_versions v JOIN prompts p USING (project_id, name)
    WHERE v.project_id = :project
      AND (CAST(:name AS text) IS NULL OR v.name = :name)
      AND (CAST(:version AS integer) IS NULL OR v.version = :version)
      AND (CAST(:tag AS text) IS NULL OR :tag = ANY(p.tags))
      AND (CAST(:since AS timestamptz) IS NULL OR v.updated_at >= :since)
      AND (CAST(:before AS timestamptz) IS NULL OR v.updated_at < :before)
      AND (CAST(:label AS text) IS NULL OR EXISTS (
          SELECT FROM prompt_labels l
          WHERE l.project_id = v.project_id AND l.name = v.name AND l.version = v.version AND l.label = :label))
), names AS (
    SELECT name, array_agg(version ORDER BY version) AS versions, max(updated_at) AS last_updated_at,
           (array_agg(config ORDER BY version DESC))[1] AS last_config
    FROM chosen GROUP BY name
)
"""
_COUNT = f"{_SUMMARIES} SELECT count(*) FROM names"  # noqa: S608 - put together from constants
_PAGE = f"""{_SUMMARIES}
SELECT n.name, p.type, n.versions, p.tags, n.last_updated_at, n.last_config,
       ARRAY(SELECT l.label FROM prompt_labels l
             WHERE l.project_id = p.project_id AND l.name = n.name AND l.version = ANY(n.versions)
             ORDER BY l.label) AS labels
FROM names n JOIN prompts p ON p.project_id = :project AND p.name = n.name
ORDER BY n.name LIMIT :size OFFSET :offset
"""  # noqa: S608 - put together from constants


@dataclass(frozen=True, kw_only=True)
class PromptFilter:
    """Which versions a list is made of; what is None is not asked for."""

    name: str | None = None
    version: int | None = None
    label: str | None = None
    tag: str | None = None
    since: datetime | None = None
    before: datetime | None = None


class PromptLists:
    """The prompts of one project, page by page."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id

    async def page(self, asked: PromptFilter, page: Page) -> tuple[list[PromptSummary], int]:
        """Return one page of the prompts by name, and how many there are."""
        bound: dict[str, Any] = {"project": self._project_id, **vars(asked)}
        async with self._database.transaction() as session:
            total = await session.scalar(text(_COUNT), bound)
            rows = await session.execute(text(_PAGE), {**bound, "size": page.size, "offset": page.offset})
            return [_summary(row) for row in rows.mappings()], int(total or 0)


def _summary(row: Mapping[Any, Any]) -> PromptSummary:
    return PromptSummary(
        name=row["name"],
        type=PromptType(row["type"]),
        versions=tuple(row["versions"]),
        labels=tuple(row["labels"]),
        tags=tuple(row["tags"]),
        last_updated_at=row["last_updated_at"],
        last_config=row["last_config"],
    )
