"""What people do to the items of an annotation queue: open, score, correct and complete them."""

from collections.abc import Collection

from dashboard.annotation_changes import QUEUES
from dashboard.mandate import Mandate
from dashboard.own_events import OwnEvents
from heliograph.domain.annotations import ItemStatus, QueueItem
from heliograph.domain.deletions import SubjectType
from heliograph.domain.score_configs import ScoreConfig
from ingestion.annotated_scores import Annotator, Answer, Target, annotated, correction, score_id
from storage.postgres.annotation_queue_items import AnnotationQueueItems
from storage.postgres.connection import Database

SCORES = "scores:CUD"


class QueueWork:
    """The work of one user in one queue; every method raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, database: Database, mandate: Mandate, events: OwnEvents, *, queue_id: str) -> None:
        self._mandate = mandate
        self._events = events
        self._items = AnnotationQueueItems(database, mandate.project.id, queue_id)
        self._annotator = Annotator(mandate.user.id, queue_id)

    async def claim(self, but: Collection[str], status: ItemStatus) -> QueueItem | None:
        """Lock the oldest item of a status that nobody else has; see `AnnotationQueueItems.claim`."""
        await self._mandate.act(QUEUES, SCORES)
        return await self._items.claim(self._mandate.user.id, but=but, status=status)

    async def lock(self, item_id: str) -> QueueItem:
        """Keep an item from others; raises Conflict when somebody else has it."""
        await self._mandate.act(QUEUES, SCORES)
        return await self._items.lock(item_id, self._mandate.user.id)

    async def release(self, item_id: str) -> None:
        """Leave an item to others."""
        await self._items.release(item_id, self._mandate.user.id)

    async def complete(self, item_id: str) -> QueueItem:
        """Say that an item is done; raises AnnotationQueueItemNotFound."""
        await self._mandate.act(QUEUES)
        return await self._items.set_status(item_id, ItemStatus.COMPLETED, by=self._mandate.user.id)

    async def score(self, config: ScoreConfig, value: Answer, target: Target) -> None:
        """Store what the user says by one config, in place of what they said before.

        Raises:
            InvalidRequest: the config does not allow the value.
            Unavailable, Overloaded: it is not stored: try again.
        """
        await self._mandate.act(SCORES)
        body = annotated(config, value, target, annotator=self._annotator)
        await self._events.intake.take_scores(self._mandate.project, [body])

    async def withdraw(self, config: ScoreConfig, target: Target) -> None:
        """Delete what the user has said by one config; raises Unavailable and Overloaded."""
        await self._mandate.act(SCORES)
        said = score_id(target, self._annotator, config.id)
        by = self._mandate.user.email
        await self._events.deletions.accept(self._mandate.project.id, SubjectType.SCORE, [said], requested_by=by)

    async def correct(self, text: str, target: Target) -> None:
        """Store what the output should have been; raises InvalidRequest, Unavailable and Overloaded."""
        await self._mandate.act(SCORES)
        await self._events.intake.take_scores(self._mandate.project, [correction(text, target, self._annotator)])
