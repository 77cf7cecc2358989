"""What the pages ask about annotation queues, their items and what people said of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.queries.agreement import Agreement, agreements
from dashboard.queries.subjects import Subject, Subjects
from dashboard.state import ListState
from heliograph.domain.access import Member, Role
from heliograph.domain.annotations import Annotated, AnnotationQueue, Progress, QueueItem
from heliograph.domain.datasets import ItemChange
from heliograph.domain.filters import Page, equals
from heliograph.domain.identifiers import OrganizationId, ProjectId, UserId
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.score_configs import ScoreConfig
from heliograph.domain.scores import ScoreDataType
from ingestion.annotated_scores import Answer
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.scores import Scores
from storage.postgres.annotation_queue_items import AnnotationQueueItems
from storage.postgres.annotation_queues import AnnotationQueues
from storage.postgres.connection import Database
from storage.postgres.memberships import OrganizationMembers
from storage.postgres.score_configs import ScoreConfigs
from storage.postgres.users import Users

MAX_CONFIGS, MAX_QUEUES = 100, 100
# Agreement is told of the newest of them.
MAX_RATINGS = 10_000


@dataclass(frozen=True)
class QueuePage:
    """One page of queues, how far each is, who works on each, and how many queues there are."""

    queues: Sequence[AnnotationQueue]
    progress: Mapping[str, Progress]
    assigned: Mapping[str, Sequence[UserId]]
    total: int


@dataclass(frozen=True)
class WholeQueue:
    """One queue with its configs in their order, how far it is, and the ids of those who work on it."""

    queue: AnnotationQueue
    configs: Sequence[ScoreConfig]
    progress: Progress
    assigned: Sequence[UserId]


@dataclass(frozen=True)
class Choices:
    """What a queue can be made of: the configs in use and the members of the project's organization."""

    configs: Sequence[ScoreConfig]
    members: Sequence[Member]


@dataclass(frozen=True)
class ItemPage:
    """One page of the items of a queue, the names of the people in it, and how many items there are."""

    items: Sequence[QueueItem]
    people: Mapping[str, str]
    total: int


@dataclass(frozen=True)
class OpenedItem:
    """An item with what it stands for, None where that has not arrived or is gone, and what the user said of it."""

    item: QueueItem
    subject: Subject | None
    answers: Mapping[str, Answer]


class AnnotationQueries:
    """The questions about the annotation of one project."""

    def __init__(self, clickhouse: ClickHouse, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self._queues = AnnotationQueues(database, project_id)
        self._configs = ScoreConfigs(database, project_id)
        self._scores = Scores(clickhouse, project_id)
        self._subjects = Subjects(clickhouse, project_id)
        self._users = Users(database)

    async def page(self, wanted: ListState) -> QueuePage:
        """The wanted page of the queues, the newest first."""
        found, total = await self._queues.page(Page(wanted.page, wanted.size))
        ids = [queue.id for queue in found]
        progress = await self._queues.progress(ids)
        assigned = await asyncio.gather(*map(self._queues.assigned, ids))
        return QueuePage(found, progress, dict(zip(ids, assigned, strict=True)), total)

    async def names(self) -> dict[str, str]:
        """The newest queues by their names, with their ids."""
        found, _ = await self._queues.page(Page(size=MAX_QUEUES))
        return {queue.name: queue.id for queue in found}

    async def queue(self, queue_id: str) -> WholeQueue:
        """One queue; raises AnnotationQueueNotFound."""
        queue = await self._queues.get(queue_id)
        configs, progress, assigned = await asyncio.gather(
            self._configs.of(queue.score_config_ids), self._queues.progress([queue_id]), self._queues.assigned(queue_id)
        )
        ordered = [configs[config_id] for config_id in queue.score_config_ids if config_id in configs]
        return WholeQueue(queue, ordered, progress[queue_id], assigned)

    async def choices(self, organization_id: OrganizationId) -> Choices:
        """What a queue can be made of."""
        (configs, _), members = await asyncio.gather(
            self._configs.page(Page(size=MAX_CONFIGS)), OrganizationMembers(self._database, organization_id).all()
        )
        in_use = [config for config in configs if not config.is_archived]
        return Choices(in_use, [member for member in members if member.role is not Role.NONE])

    async def items(self, queue_id: str, wanted: ListState) -> ItemPage:
        """The wanted page of a queue's items, the newest first."""
        items = AnnotationQueueItems(self._database, self._project_id, queue_id)
        found, total = await items.page(Page(wanted.page, wanted.size))
        ids = {item.annotator_user_id for item in found} | {item.locked_by_user_id for item in found}
        return ItemPage(found, await self._users.names_of({one for one in ids if one}), total)

    async def opened(self, item: QueueItem, user_id: UserId) -> OpenedItem:
        """An item as its annotator sees it."""
        subject = await self._subjects.of(item.object_type, item.object_id)
        if subject is None:
            return OpenedItem(item, None, {})
        target = subject.target
        said = [
            *(equals(column, text) for column, text in (("authorUserId", user_id), ("queueId", item.queue_id))),
            equals("sessionId", target.session_id) if target.session_id else equals("traceId", target.trace_id),
        ]
        rows = plain_rows(await self._scores.newest(said, limit=MAX_CONFIGS))
        answers = {row["config_id"]: _answer(row) for row in rows if row["observation_id"] == target.observation_id}
        return OpenedItem(item, subject, answers)

    async def as_items(self, objects: Sequence[Annotated]) -> list[ItemChange]:
        """What of these has arrived, as items of a dataset that expect the output that there was."""
        return await self._subjects.as_items(objects)

    async def scored_by(self, queue: WholeQueue, user_id: UserId) -> set[tuple[str, str, str]]:
        """What the user has scored in a queue, as trace, observation and session ids."""
        said = [equals("authorUserId", user_id), equals("queueId", queue.queue.id)]
        rows = plain_rows(await self._scores.newest(said, limit=MAX_RATINGS))
        return {(row["trace_id"], row["observation_id"], row["session_id"]) for row in rows}

    async def agreements(self, queue: WholeQueue) -> list[Agreement]:
        """How far the people agree who scored in a queue, by config."""
        said = [equals("queueId", queue.queue.id), equals("source", "ANNOTATION")]
        scores = await self._scores.newest(said, limit=MAX_RATINGS)
        return await asyncio.to_thread(agreements, queue.configs, scores)


def _answer(row: Mapping[str, Answer]) -> Answer:
    if row["data_type"] in (ScoreDataType.CATEGORICAL, ScoreDataType.TEXT):
        return row["string_value"]
    return row["long_string_value"] or row["value"]
