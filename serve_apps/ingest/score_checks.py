"""Scores on their way in, held against the configs that they name."""

from functools import partial

from heliograph.domain.identifiers import ProjectId
from ingestion import configured_events, configured_scores
from ingestion.batch.events import DecodedBatch
from ingestion.scores import DecodedScores
from serve_apps.ingest.dependencies import ScoreConfigs
from serve_apps.ingest.in_parts import InParts

# About 5 ms.
_MAX_ON_LOOP = 500


class ScoreChecks:
    """Tells what is wrong with scores that name a config; what names none costs nothing.

    Args:
        configs: the configs of all projects.
        in_parts: does what takes long.
    """

    def __init__(self, configs: ScoreConfigs, in_parts: InParts) -> None:
        self._configs = configs
        self._in_parts = in_parts

    async def of_scores(self, project_id: ProjectId, decoded: DecodedScores) -> DecodedScores:
        """The request with its scores as their configs say they are; raises Unavailable."""
        if not decoded.configured:
            return decoded
        configs = await self._configs.of(project_id, configured_scores.config_ids(decoded))
        if len(decoded.configured) <= _MAX_ON_LOOP:
            return configured_scores.checked(decoded, configs)
        return await self._in_parts.work(partial(configured_scores.checked, decoded, configs))

    async def of_batch(self, project_id: ProjectId, decoded: DecodedBatch) -> DecodedBatch:
        """The batch with its scores as their configs say they are; raises Unavailable."""
        config_ids = configured_events.config_ids(decoded)
        if not config_ids:
            return decoded
        configs = await self._configs.of(project_id, config_ids)
        if len(decoded.events) <= _MAX_ON_LOOP:
            return configured_events.checked(decoded, configs)
        return await self._in_parts.work(partial(configured_events.checked, decoded, configs))
