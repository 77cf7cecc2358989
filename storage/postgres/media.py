"""Media of projects, and what refers to them.

A file is referred to before it is uploaded, and it is uploaded before the event that refers to it is acknowledged: so
that nothing is stored that no deletion would find. A deletion first marks files that nothing refers to any more. Their
objects are removed later, under a lock of their rows: whoever refers to one meanwhile takes the mark away, or waits and
uploads it again.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.deletions import SubjectType, Tombstone
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.media import MediaDescription, MediaUse, StoredMedia, TraceUse
from heliograph.domain.not_found import MediaNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.deletions import DeletionRow
from storage.postgres.tables.media import DatasetItemMediaRow, MediaRow, ObservationMediaRow, TraceMediaRow

_UPLOADED = (200, 201)
# Of what is not deduplicated the client uploads a new copy.
_DEDUPLICATED = 200
_SUBJECTS_AT_ONCE = 5_000
_REMOVED_AT_ONCE = 500
_OF_TRACES = (TraceMediaRow, ObservationMediaRow)
_LINKS = (*_OF_TRACES, DatasetItemMediaRow)

Link = type[TraceMediaRow] | type[ObservationMediaRow] | type[DatasetItemMediaRow]


class ProjectMedia:
    """The files of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self._own = MediaRow.project_id == project_id

    async def refer(self, media: Collection[MediaDescription], uses: Collection[MediaUse]) -> list[MediaDescription]:
        """Note files and what refers to them; returns those that are not stored yet."""
        by_id = {one.id: one for one in media}
        async with self._database.transaction() as session:
            # Always in the same order, so that two that note the same files do not wait for each other.
            rows = [self._row(by_id[media_id]) for media_id in sorted(by_id)]
            noting = insert(MediaRow).values(rows).on_conflict_do_update(
                index_elements=["project_id", "id"], set_={"orphaned_at": None}
            ).returning(MediaRow.id, MediaRow.upload_http_status)  # fmt: skip
            stored = {media_id for media_id, status in await session.execute(noting) if status == _DEDUPLICATED}
            for link in _LINKS:
                if values := [self._link(use) for use in sorted(uses, key=repr) if _link_of(use) is link]:
                    await session.execute(_linking(link), values)
        return [one for one in by_id.values() if one.id not in stored]

    async def note_type(self, media: MediaDescription) -> None:
        """A file has another type than was known."""
        changing = update(MediaRow).where(self._own, MediaRow.id == media.id).values(content_type=media.content_type)
        async with self._database.transaction() as session:
            await session.execute(changing)

    async def note_upload(
        self, media_ids: Iterable[str], status: int, *, uploaded_at: datetime | None = None, error: str | None = None
    ) -> None:
        """Note how uploads ended; raises MediaNotFound when none of the files is known."""
        ids = list(media_ids)
        noting = (
            update(MediaRow)
            .where(self._own, MediaRow.id.in_(ids))
            .values(uploaded_at=uploaded_at or func.now(), upload_http_status=status, upload_http_error=error)
            .returning(MediaRow.id)
        )
        async with self._database.transaction() as session:
            if not (await session.execute(noting)).all():
                raise MediaNotFound(ids[0])

    async def described(self, media_id: str) -> MediaDescription:
        """Return what is known of a file, uploaded or not; raises MediaNotFound."""
        async with self._database.transaction() as session:
            row = await session.scalar(select(MediaRow).where(self._own, MediaRow.id == media_id))
        if row is None:
            raise MediaNotFound(media_id)
        return MediaDescription(row.id, row.content_type, row.content_length, row.sha256)

    async def get(self, media_id: str) -> StoredMedia:
        """Return a file that was uploaded and is still referred to; raises MediaNotFound."""
        there = (MediaRow.upload_http_status.in_(_UPLOADED), MediaRow.orphaned_at.is_(None))
        async with self._database.transaction() as session:
            row = await session.scalar(select(MediaRow).where(self._own, MediaRow.id == media_id, *there))
        if row is None or row.uploaded_at is None:
            raise MediaNotFound(media_id)
        return StoredMedia(row.id, row.content_type, row.content_length, row.sha256, row.uploaded_at)

    async def uploaded(self, media_ids: Collection[str]) -> list[StoredMedia]:
        """Return those of the files that were uploaded and are still referred to."""
        there = (MediaRow.upload_http_status.in_(_UPLOADED), MediaRow.orphaned_at.is_(None))
        async with self._database.transaction() as session:
            rows = await session.scalars(select(MediaRow).where(self._own, MediaRow.id.in_(media_ids), *there))
            return [
                StoredMedia(row.id, row.content_type, row.content_length, row.sha256, row.uploaded_at)
                for row in rows
                if row.uploaded_at is not None
            ]

    def _row(self, media: MediaDescription) -> dict[str, Any]:
        return {"project_id": self._project_id, **asdict(media)}

    def _link(self, use: MediaUse) -> dict[str, Any]:
        values = {**asdict(use), "field": use.field.value, "project_id": self._project_id}
        return {name: value for name, value in values.items() if name != "observation_id" or value}


class AllMedia:
    """The files of all projects, for those that remove them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, tombstones: Iterable[Tombstone]) -> dict[str, int]:
        """Drop what the deleted referred to; returns how many files nothing refers to any more, by deletion.

        Only references that are older than the request count: what is sent afterwards starts anew. A reference is
        older than the event that it belongs to, so that an event which overtakes the request may lose its file.
        """
        counts: dict[str, int] = {}
        by_deletion: dict[tuple[str, ProjectId], list[Tombstone]] = {}
        for one in tombstones:
            by_deletion.setdefault((one.deletion_id, one.project_id), []).append(one)
        for (deletion_id, project_id), group in by_deletion.items():
            is_whole = any(one.subject_type is SubjectType.PROJECT for one in group)
            traces = [one.subject for one in group if one.subject_type is SubjectType.TRACE and "\0" not in one.subject]
            portions = [traces[start : start + _SUBJECTS_AT_ONCE] for start in range(0, len(traces), _SUBJECTS_AT_ONCE)]
            for subjects in [None] if is_whole else portions:
                async with self._database.transaction() as session:
                    orphaned = await _forget(session, project_id, deletion_id, traces=subjects)
                counts[deletion_id] = counts.get(deletion_id, 0) + orphaned
        return counts

    async def expire(self, project_id: ProjectId, before: datetime) -> int:
        """Drop what traces referred to before a time; returns how many files nothing refers to any more."""

        def meant(link: Link) -> Any:
            return and_(link.project_id == project_id, link.created_at < before)

        expired = 0
        while True:
            async with self._database.transaction() as session:
                referred = or_(*(MediaRow.id.in_(select(link.media_id).where(meant(link))) for link in _OF_TRACES))
                locking = select(MediaRow.id).where(MediaRow.project_id == project_id, referred)
                locked = list(
                    await session.scalars(locking.order_by(MediaRow.id).limit(_REMOVED_AT_ONCE).with_for_update())
                )
                if not locked:
                    return expired
                dropped: dict[Link, Any] = {link: meant(link) for link in _OF_TRACES}
                expired += await _release(session, project_id, locked, dropped=dropped)

    async def remove_orphans(self, remove: Callable[[Sequence[tuple[ProjectId, str]]], Awaitable[None]]) -> int:
        """Have the objects of some files that nothing refers to removed, then their rows; returns how many."""
        orphans = (
            select(MediaRow.project_id, MediaRow.id)
            .where(MediaRow.orphaned_at.is_not(None))
            .order_by(MediaRow.orphaned_at)
            .limit(_REMOVED_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        async with self._database.transaction() as session:
            found = [(ProjectId(project_id), media_id) for project_id, media_id in await session.execute(orphans)]
            if found:
                await remove(found)
                await session.execute(delete(MediaRow).where(tuple_(MediaRow.project_id, MediaRow.id).in_(found)))
        return len(found)


async def _forget(
    session: AsyncSession, project_id: ProjectId, deletion_id: str, *, traces: Sequence[str] | None
) -> int:
    """Drop the references of some traces, or of a whole project; returns how many files that leaves without any."""
    requested_at = select(DeletionRow.requested_at).where(DeletionRow.id == deletion_id).scalar_subquery()
    links: tuple[Link, ...] = _LINKS if traces is None else _OF_TRACES

    def meant(link: Link) -> Any:
        chosen = and_(link.project_id == project_id, link.created_at < requested_at)
        return chosen if traces is None else and_(chosen, link.trace_id.in_(traces))  # type: ignore[union-attr]

    # 1. Lock the files: who refers to one of them now has done so before this, or waits until it is over.
    referred = or_(*(MediaRow.id.in_(select(link.media_id).where(meant(link))) for link in links))
    locking = select(MediaRow.id).where(MediaRow.project_id == project_id, referred)
    if traces is None:
        # Those that were never referred to, too.
        locking = select(MediaRow.id).where(MediaRow.project_id == project_id, MediaRow.created_at < requested_at)
    locked = list(await session.scalars(locking.order_by(MediaRow.id).with_for_update()))
    return await _release(session, project_id, locked, dropped={link: meant(link) for link in links})


async def _release(
    session: AsyncSession, project_id: ProjectId, locked: Sequence[str], *, dropped: Mapping[Link, Any]
) -> int:
    # 2. Drop their references.
    for link, meant in dropped.items():
        await session.execute(delete(link).where(meant, link.media_id.in_(locked)))
    # 3. Mark those without any, as not stored: whoever wants one again uploads it again.
    is_referred = or_(
        *(exists().where(link.project_id == MediaRow.project_id, link.media_id == MediaRow.id) for link in _LINKS)
    )
    marking = (
        update(MediaRow)
        .where(MediaRow.project_id == project_id, MediaRow.id.in_(locked), MediaRow.orphaned_at.is_(None), ~is_referred)
        .values(orphaned_at=func.now(), uploaded_at=None, upload_http_status=None)
        .returning(MediaRow.id)
    )
    return len((await session.execute(marking)).all())


def _link_of(use: MediaUse) -> Link:
    if isinstance(use, TraceUse):
        return ObservationMediaRow if use.observation_id else TraceMediaRow
    return DatasetItemMediaRow


def _linking(link: Link) -> Any:
    # The time is what a deletion goes by.
    key = [column.name for column in link.__table__.primary_key]
    return insert(link).on_conflict_do_update(index_elements=key, set_={"created_at": func.now()})
