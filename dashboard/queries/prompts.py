"""What the pages ask about prompts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.state import Period
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.prompts import Prompt, PromptSummary
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.prompt_usage import PromptUsage
from storage.postgres.connection import Database
from storage.postgres.prompt_lists import PromptFilter, PromptLists
from storage.postgres.prompts import Prompts

# Folders are made of all names, which therefore are read at once.
MAX_PROMPTS = 2000


@dataclass(frozen=True)
class PromptShelf:
    """All prompts of a project by name, and how many observations of the period used each."""

    prompts: list[PromptSummary]
    uses: Mapping[str, int]


@dataclass(frozen=True)
class WholePrompt:
    """Every version of a prompt, the newest first, and the figures of each that the period's observations used."""

    versions: list[Prompt]
    usage: Mapping[int, Mapping[str, Any]]


class PromptQueries:
    """The questions about the prompts of one project."""

    def __init__(self, clickhouse: ClickHouse, database: Database, project_id: ProjectId) -> None:
        self._lists = PromptLists(database, project_id)
        self._prompts = Prompts(database, project_id)
        self._usage = PromptUsage(clickhouse, project_id)

    async def shelf(self, period: Period) -> PromptShelf:
        """All prompts of the project."""
        found, _ = await self._lists.page(PromptFilter(), Page(size=MAX_PROMPTS))
        names = [prompt.name for prompt in found]
        uses = await self._usage.by_name(names, period.after, period.before) if names else {}
        return PromptShelf(found, uses)

    async def whole(self, name: str, period: Period) -> WholePrompt:
        """One prompt; raises PromptNotFound."""
        versions = await self._prompts.versions(name)
        usage = await self._usage.by_version(name, period.after, period.before)
        return WholePrompt(versions, {row["version"]: row for row in plain_rows(usage)})
