"""What waits in annotation queues: who has opened it, and who has completed it."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.annotations import LOCK_DURATION, Annotated, AnnotatedType, ItemStatus, QueueItem
from heliograph.domain.errors import Conflict
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId, UserId
from heliograph.domain.not_found import AnnotationQueueItemNotFound, AnnotationQueueNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.annotation_queues import AnnotationQueueItemRow, AnnotationQueueRow


def _now() -> datetime:
    return datetime.now(UTC)


class AnnotationQueueItems:
    """The items of one queue of a project. Every method raises AnnotationQueueNotFound when there is no such queue.

    Args:
        database: where they are kept.
        project_id: whose the queue is.
        queue_id: the queue.
        clock: tells when a lock has ended.
    """

    def __init__(
        self, database: Database, project_id: ProjectId, queue_id: str, *, clock: Callable[[], datetime] = _now
    ) -> None:
        self._database = database
        self._project_id = project_id
        self._queue_id = queue_id
        self._own = (AnnotationQueueItemRow.project_id == project_id) & (AnnotationQueueItemRow.queue_id == queue_id)
        self._clock = clock

    async def page(self, page: Page, status: ItemStatus | None = None) -> tuple[list[QueueItem], int]:
        """Return one page of the items with a status, or of all, the newest first, and how many there are."""
        chosen = self._own if status is None else self._own & (AnnotationQueueItemRow.status == status)
        count = select(func.count()).select_from(AnnotationQueueItemRow).where(chosen)
        order = (AnnotationQueueItemRow.created_at.desc(), AnnotationQueueItemRow.id.desc())
        query = select(AnnotationQueueItemRow).where(chosen).order_by(*order).limit(page.size).offset(page.offset)
        async with self._database.transaction() as session:
            await self._require_queue(session)
            total = await session.scalar(count)
            return [_item(row) for row in await session.scalars(query)], total or 0

    async def get(self, item_id: str) -> QueueItem:
        """Return one item; raises AnnotationQueueItemNotFound."""
        async with self._database.transaction() as session:
            return _item(await self._row(session, item_id))

    async def add(
        self, object_type: AnnotatedType, object_id: str, status: ItemStatus = ItemStatus.PENDING
    ) -> QueueItem:
        """Put something into the queue; it need not have arrived yet."""
        row = AnnotationQueueItemRow(
            project_id=self._project_id,
            queue_id=self._queue_id,
            object_type=object_type,
            object_id=object_id,
            status=status,
            completed_at=self._clock() if status is ItemStatus.COMPLETED else None,
        )
        async with self._database.transaction() as session:
            await self._require_queue(session)
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return _item(row)

    async def add_waiting(self, objects: Sequence[Annotated]) -> int:
        """Put what does not wait in the queue already into it, and return how many that were."""
        wanted = list(dict.fromkeys(objects))
        row = AnnotationQueueItemRow
        known = select(row.object_type, row.object_id).where(
            self._own, row.status == ItemStatus.PENDING, row.object_id.in_([each.id for each in wanted])
        )
        async with self._database.transaction() as session:
            await self._require_queue(session)
            waiting = set((await session.execute(known)).tuples())
            fresh = [each for each in wanted if (each.type, each.id) not in waiting]
            now = self._clock()
            session.add_all(
                row(
                    project_id=self._project_id, queue_id=self._queue_id, object_type=each.type, object_id=each.id,
                    # They are worked on in the order in which they were given.
                    status=ItemStatus.PENDING, created_at=now + place * timedelta(microseconds=1),
                )
                for place, each in enumerate(fresh)
            )  # fmt: skip
            return len(fresh)

    async def set_status(self, item_id: str, status: ItemStatus, by: UserId | None = None) -> QueueItem:
        """Complete an item, or let it wait again; both end its lock.

        Args:
            item_id: the item.
            status: the new one; one that it has already changes nothing.
            by: who did it; None is a program.

        Raises:
            AnnotationQueueItemNotFound: there is none of that id.
        """
        async with self._database.transaction() as session:
            row = await self._row(session, item_id, is_locked=True)
            if row.status != status:
                is_completed = status is ItemStatus.COMPLETED
                row.status = status
                row.completed_at = self._clock() if is_completed else None
                row.annotator_user_id = by if is_completed else None
                row.locked_at = row.locked_by_user_id = None
                row.updated_at = self._clock()
            return _item(row)

    async def delete(self, item_id: str) -> None:
        """Take an item out of the queue; raises AnnotationQueueItemNotFound."""
        removing = (
            delete(AnnotationQueueItemRow)
            .where(self._own, AnnotationQueueItemRow.id == item_id)
            .returning(AnnotationQueueItemRow.id)
        )
        async with self._database.transaction() as session:
            await self._require_queue(session)
            if await session.scalar(removing) is None:
                raise AnnotationQueueItemNotFound(item_id, self._queue_id)

    async def lock(self, item_id: str, user_id: UserId) -> QueueItem:
        """Keep an item from others for five minutes, beginning anew for who has it already.

        Raises:
            AnnotationQueueItemNotFound: there is none of that id.
            Conflict: another user has it.
        """
        async with self._database.transaction() as session:
            row = await self._row(session, item_id, is_locked=True)
            if row.locked_at is not None and row.locked_by_user_id != user_id:
                ends_at = row.locked_at + LOCK_DURATION
                if ends_at > self._clock():
                    raise Conflict("item", f"another user works on it, until {ends_at:%H:%M:%S} UTC at the latest")
            return self._locked(row, user_id)

    async def release(self, item_id: str, user_id: UserId) -> None:
        """End the lock of an item at once, if this user has it."""
        row = AnnotationQueueItemRow
        releasing = update(row).where(self._own, row.id == item_id, row.locked_by_user_id == user_id)
        async with self._database.transaction() as session:
            await session.execute(releasing.values(locked_at=None, locked_by_user_id=None))

    async def claim(
        self, user_id: UserId, *, but: Collection[str] = (), status: ItemStatus = ItemStatus.PENDING
    ) -> QueueItem | None:
        """Lock the oldest item that no other user has; None when there is none.

        Args:
            user_id: for whom.
            but: items that are not wanted.
            status: PENDING is what waits; of what is COMPLETED only what others have completed, for a second opinion.
        """
        free = or_(
            AnnotationQueueItemRow.locked_at.is_(None),
            AnnotationQueueItemRow.locked_at <= self._clock() - LOCK_DURATION,
            AnnotationQueueItemRow.locked_by_user_id == user_id,
        )
        query = (
            select(AnnotationQueueItemRow)
            .where(self._own, AnnotationQueueItemRow.status == status, AnnotationQueueItemRow.id.not_in(but), free)
            .order_by(AnnotationQueueItemRow.created_at, AnnotationQueueItemRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if status is ItemStatus.COMPLETED:
            query = query.where(AnnotationQueueItemRow.annotator_user_id.is_distinct_from(user_id))
        async with self._database.transaction() as session:
            await self._require_queue(session)
            row = await session.scalar(query)
            return None if row is None else self._locked(row, user_id)

    def _locked(self, row: AnnotationQueueItemRow, user_id: UserId) -> QueueItem:
        row.locked_at, row.locked_by_user_id = self._clock(), user_id
        return _item(row)

    async def _require_queue(self, session: AsyncSession) -> None:
        own: ColumnElement[bool] = AnnotationQueueRow.project_id == self._project_id
        found = await session.scalar(select(AnnotationQueueRow.id).where(own, AnnotationQueueRow.id == self._queue_id))
        if found is None:
            raise AnnotationQueueNotFound(self._queue_id)

    async def _row(self, session: AsyncSession, item_id: str, *, is_locked: bool = False) -> AnnotationQueueItemRow:
        query = select(AnnotationQueueItemRow).where(self._own, AnnotationQueueItemRow.id == item_id)
        row = await session.scalar(query.with_for_update() if is_locked else query)
        if row is None:
            await self._require_queue(session)
            raise AnnotationQueueItemNotFound(item_id, self._queue_id)
        return row


def _item(row: AnnotationQueueItemRow) -> QueueItem:
    return QueueItem(
        id=row.id,
        queue_id=row.queue_id,
        object_type=AnnotatedType(row.object_type),
        object_id=row.object_id,
        status=ItemStatus(row.status),
        locked_at=row.locked_at,
        locked_by_user_id=row.locked_by_user_id,
        annotator_user_id=row.annotator_user_id,
        completed_at=row.completed_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
