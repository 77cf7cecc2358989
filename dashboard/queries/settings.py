"""What the page of settings asks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from heliograph.domain.access import ListedKey
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_configs import ScoreConfig
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.score_configs import ScoreConfigs

MAX_CONFIGS = 100


@dataclass(frozen=True)
class ProjectSettings:
    """The keys of a project, and the first of its score configs."""

    keys: Sequence[ListedKey]
    score_configs: Sequence[ScoreConfig]


class SettingsQueries:
    """The questions about how one project is set up."""

    def __init__(self, database: Database, api_keys: ApiKeys, project_id: ProjectId) -> None:
        self._api_keys = api_keys
        self._configs = ScoreConfigs(database, project_id)
        self._project_id = project_id

    async def public_key(self) -> str:
        """A public key to show in the first steps; '' when there is none."""
        keys = await self._api_keys.public_keys_of(self._project_id)
        return keys[0] if keys else ""

    async def project(self) -> ProjectSettings:
        """How the project is set up."""
        keys, (configs, _) = await asyncio.gather(
            self._api_keys.list_of(self._project_id), self._configs.page(Page(size=MAX_CONFIGS))
        )
        return ProjectSettings(keys, configs)
