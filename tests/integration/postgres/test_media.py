"""What refers to media, and what becomes of them when that is deleted."""

import asyncio
import hashlib
from collections.abc import Sequence

import pytest

from heliograph.domain.access import Project
from heliograph.domain.deletions import SubjectType, Tombstone
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.media import DatasetItemUse, MediaDescription, MediaField, TraceUse, media_id_of
from heliograph.domain.not_found import MediaNotFound
from storage.postgres.connection import Database
from storage.postgres.deletions import Deletions
from storage.postgres.media import AllMedia, ProjectMedia


def described(name: str) -> MediaDescription:
    sha256 = hashlib.sha256(name.encode()).digest()
    return MediaDescription(media_id_of(sha256), "image/png", len(name), sha256)


class Bench:
    """The files of one project, and requests to delete."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self.media = ProjectMedia(database, project_id)
        self.every = AllMedia(database)
        self.removed: list[str] = []

    async def stored(self, name: str, trace_id: str, observation_id: str = "") -> str:
        """A file that is uploaded and referred to; its id."""
        media = described(name)
        await self.media.refer([media], [TraceUse(media.id, trace_id, observation_id, MediaField.INPUT)])
        await self.media.note_upload([media.id], 200)
        return media.id

    async def asked(self, kind: SubjectType, subject: str) -> Tombstone:
        lanes = [LaneNumber(0)]
        asked = await Deletions(self._database).request(
            self._project_id, kind, [subject], requested_by="test", lanes=lanes
        )
        return Tombstone(self._project_id, kind, subject, LaneNumber(0), 1, 0, asked.id)

    async def deleted(self, kind: SubjectType, subject: str) -> int:
        """Delete; how many files nothing refers to any more."""
        tombstone = await self.asked(kind, subject)
        return (await self.every.forget([tombstone]))[tombstone.deletion_id]

    async def is_there(self, media_id: str) -> bool:
        try:
            return (await self.media.get(media_id)).id == media_id
        except MediaNotFound:
            return False

    async def sweep(self) -> int:
        async def remove(files: Sequence[tuple[ProjectId, str]]) -> None:
            self.removed += [media_id for project_id, media_id in files if project_id == self._project_id]

        return await self.every.remove_orphans(remove)


@pytest.fixture
def bench(database: Database, project: Project) -> Bench:
    return Bench(database, project.id)


async def test_a_file_is_missing_until_its_upload_is_noted(bench: Bench) -> None:
    media = described("a")
    use = TraceUse(media.id, "t", "", MediaField.INPUT)
    assert await bench.media.refer([media], [use]) == [media]
    assert await bench.media.refer([media], [use]) == [media]
    assert not await bench.is_there(media.id)
    await bench.media.note_upload([media.id], 200)
    assert await bench.media.refer([media], [use]) == []
    assert await bench.is_there(media.id)


async def test_a_deleted_trace_takes_the_files_with_it_that_nothing_else_refers_to(bench: Bench) -> None:
    own = await bench.stored("own", "t", "o")
    also = await bench.stored("also", "t")
    shared = await bench.stored("shared", "t", "o")
    await bench.stored("shared", "other")
    item = await bench.stored("item", "t")
    use = DatasetItemUse(item, "d", "i", MediaField.INPUT)
    await bench.media.refer([described("item")], [use])

    assert await bench.deleted(SubjectType.TRACE, "t") == 2

    there = {media_id: await bench.is_there(media_id) for media_id in (own, also, shared, item)}
    assert there == {own: False, also: False, shared: True, item: True}
    assert await bench.sweep() >= 2
    assert sorted(bench.removed) == sorted([own, also])
    assert await bench.sweep() == 0
    assert await bench.deleted(SubjectType.TRACE, "other") == 1


async def test_a_deleted_project_takes_everything_with_it(bench: Bench) -> None:
    ids = {await bench.stored("a", "t"), await bench.stored("b", "u", "o")}
    await bench.media.refer([described("never uploaded")], [])
    item = described("item")
    await bench.media.refer([item], [DatasetItemUse(item.id, "d", "i", MediaField.METADATA)])

    assert await bench.deleted(SubjectType.PROJECT, "any") == 4
    await bench.sweep()
    assert ids < set(bench.removed)


async def test_what_is_sent_after_the_request_keeps_its_files_and_a_repetition_changes_nothing(bench: Bench) -> None:
    before, again = await bench.stored("before", "t"), await bench.stored("again", "t")
    tombstone = await bench.asked(SubjectType.TRACE, "t")
    await bench.stored("again", "t")
    after = await bench.stored("after", "t")

    assert await bench.every.forget([tombstone]) == {tombstone.deletion_id: 1}
    assert await bench.every.forget([tombstone]) == {tombstone.deletion_id: 0}

    assert [await bench.is_there(media_id) for media_id in (before, again, after)] == [False, True, True]


async def test_sessions_and_scores_have_no_files_of_their_own(bench: Bench) -> None:
    await bench.stored("a", "t")
    for kind in (SubjectType.SESSION, SubjectType.USER, SubjectType.SCORE):
        tombstone = await bench.asked(kind, "t")
        assert await bench.every.forget([tombstone]) == {}


async def test_a_file_that_is_wanted_again_before_it_is_removed_stays_and_is_uploaded_again(bench: Bench) -> None:
    media = described("a")
    await bench.stored("a", "t")
    await bench.deleted(SubjectType.TRACE, "t")

    assert await bench.media.refer([media], [TraceUse(media.id, "new", "", MediaField.INPUT)]) == [media]
    await bench.sweep()
    assert bench.removed == []


async def test_whoever_wants_a_file_while_it_is_removed_waits_and_uploads_it_again(bench: Bench) -> None:
    media = described("a")
    await bench.stored("a", "t")
    await bench.deleted(SubjectType.TRACE, "t")
    order: list[str] = []
    removing = asyncio.Event()

    async def remove(files: Sequence[tuple[ProjectId, str]]) -> None:
        del files
        removing.set()
        await asyncio.sleep(0.3)
        order.append("removed")

    async def want() -> list[MediaDescription]:
        await removing.wait()
        missing = await bench.media.refer([media], [TraceUse(media.id, "new", "", MediaField.INPUT)])
        order.append("wanted")
        return missing

    _, missing = await asyncio.gather(bench.every.remove_orphans(remove), want())
    assert order == ["removed", "wanted"]
    assert missing == [media]


async def test_a_removal_that_fails_is_done_again(bench: Bench) -> None:
    media_id = await bench.stored("a", "t")
    await bench.deleted(SubjectType.TRACE, "t")

    async def fail(files: Sequence[tuple[ProjectId, str]]) -> None:
        del files
        raise Unavailable("The object store", 2.0)

    with pytest.raises(Unavailable):
        await bench.every.remove_orphans(fail)
    await bench.sweep()
    assert bench.removed == [media_id]
