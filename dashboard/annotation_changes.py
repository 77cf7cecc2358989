"""What people change of annotation queues: their names and configs, who works on them, what waits in them."""

import asyncio
from collections.abc import Collection, Sequence

from dashboard.mandate import Mandate
from heliograph.domain.annotations import Annotated, AnnotationQueue
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import UserId
from heliograph.domain.score_configs import ScoreConfig
from storage.postgres.annotation_queue_items import AnnotationQueueItems
from storage.postgres.annotation_queues import AnnotationQueues
from storage.postgres.connection import Database
from storage.postgres.score_configs import ScoreConfigs

QUEUES, ASSIGNMENTS, CONFIGS = "annotationQueues:CUD", "annotationQueueAssignments:CUD", "scoreConfigs:CUD"
MAX_NAME = 255


class AnnotationChanges:
    """The changes of queues that one user may make; each raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, database: Database, mandate: Mandate) -> None:
        self._database = database
        self._mandate = mandate
        self._queues = AnnotationQueues(database, mandate.project.id)
        self._configs = ScoreConfigs(database, mandate.project.id)

    async def put_queue(
        self, queue_id: str, name: str, *, description: str, config_ids: Sequence[str]
    ) -> AnnotationQueue:
        """Change a queue, or create one where the id is ''; raises InvalidRequest."""
        await self._mandate.act(QUEUES)
        if not name.strip() or len(name) > MAX_NAME:
            raise InvalidRequest("name", f"has 1 to {MAX_NAME} characters")
        if not config_ids:
            raise InvalidRequest("score configs", "are needed: choose at least one by which items are scored")
        if not queue_id:
            return await self._queues.create(name.strip(), description or None, config_ids)
        return await self._queues.change(
            queue_id, name.strip(), description=description or None, score_config_ids=config_ids
        )

    async def assign(self, queue_id: str, user_ids: Collection[str]) -> None:
        """Let these members work on a queue and nobody else; raises MemberNotFound."""
        await self._mandate.act(ASSIGNMENTS)
        before = set(await self._queues.assigned(queue_id))
        wanted = {UserId(user_id) for user_id in user_ids}
        await asyncio.gather(*(self._queues.assign(queue_id, user_id) for user_id in wanted - before))
        await asyncio.gather(*(self._queues.unassign(queue_id, user_id) for user_id in before - wanted))

    async def create_config(self, config: ScoreConfig) -> ScoreConfig:
        """Keep a score config; raises InvalidRequest."""
        await self._mandate.act(CONFIGS)
        return await self._configs.create(config)

    async def add(self, queue_id: str, objects: Sequence[Annotated]) -> int:
        """Put what does not wait in a queue already into it, and return how many that were."""
        await self._mandate.act(QUEUES)
        return await AnnotationQueueItems(self._database, self._mandate.project.id, queue_id).add_waiting(objects)
