"""Items of annotation queues: who works on one keeps it from others for a while."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from heliograph.domain.access import Project
from heliograph.domain.annotations import LOCK_DURATION, Annotated, AnnotatedType, ItemStatus
from heliograph.domain.errors import Conflict
from heliograph.domain.identifiers import UserId
from heliograph.domain.not_found import AnnotationQueueItemNotFound, AnnotationQueueNotFound
from heliograph.domain.score_configs import ScoreConfig
from heliograph.domain.scores import ScoreDataType
from storage.postgres.annotation_queue_items import AnnotationQueueItems
from storage.postgres.annotation_queues import AnnotationQueues
from storage.postgres.connection import Database
from storage.postgres.score_configs import ScoreConfigs
from storage.postgres.users import Users


class WallClock:
    """A time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
async def items(database: Database, project: Project, clock: WallClock) -> AnnotationQueueItems:
    config = await ScoreConfigs(database, project.id).create(ScoreConfig(name="n", data_type=ScoreDataType.TEXT))
    queue = await AnnotationQueues(database, project.id).create("queue", None, [config.id])
    return AnnotationQueueItems(database, project.id, queue.id, clock=clock)


@pytest.fixture
async def people(database: Database) -> tuple[UserId, UserId]:
    ada, bob = [await Users(database).create(f"{uuid.uuid4()}@mail.example", "x", "a long password") for _ in range(2)]
    return ada.id, bob.id


async def test_an_item_that_someone_has_is_kept_from_others_until_the_lock_ends(
    items: AnnotationQueueItems, people: tuple[UserId, UserId], clock: WallClock
) -> None:
    ada, bob = people
    item = await items.add(AnnotatedType.TRACE, "t")
    locked = await items.lock(item.id, ada)
    assert (locked.locked_by_user_id, locked.locked_at) == (ada, clock.now)
    clock.now += LOCK_DURATION - timedelta(seconds=1)
    with pytest.raises(Conflict, match="another user"):
        await items.lock(item.id, bob)
    await items.lock(item.id, ada)
    clock.now += LOCK_DURATION
    assert (await items.lock(item.id, bob)).locked_by_user_id == bob


async def test_who_completes_an_item_is_remembered_and_its_lock_ends(
    items: AnnotationQueueItems, people: tuple[UserId, UserId], clock: WallClock
) -> None:
    item = await items.add(AnnotatedType.SESSION, "s")
    await items.lock(item.id, people[0])
    done = await items.set_status(item.id, ItemStatus.COMPLETED, by=people[0])
    assert (done.annotator_user_id, done.completed_at, done.locked_at) == (people[0], clock.now, None)
    again = await items.set_status(item.id, ItemStatus.PENDING)
    assert (again.annotator_user_id, again.completed_at) == (None, None)


async def test_people_claim_items_in_their_order_and_never_the_same(
    items: AnnotationQueueItems, people: tuple[UserId, UserId], clock: WallClock
) -> None:
    ada, bob = people
    done = await items.add(AnnotatedType.TRACE, "done", ItemStatus.COMPLETED)
    first, second = [await items.add(AnnotatedType.TRACE, name) for name in ("first", "second")]
    claimed = await asyncio.gather(items.claim(ada), items.claim(bob))
    assert {each.id for each in claimed if each is not None} == {first.id, second.id}
    mine = claimed[0]
    assert mine is not None
    assert await items.claim(ada) is not None, "one's own is given again"
    await items.set_status(mine.id, ItemStatus.COMPLETED, by=ada)
    assert await items.claim(ada) is None
    clock.now += LOCK_DURATION
    left = await items.claim(ada)
    assert left is not None
    assert left.id not in {done.id, mine.id}


async def test_an_item_is_found_in_its_own_queue_alone(
    items: AnnotationQueueItems, people: tuple[UserId, UserId], database: Database, project: Project
) -> None:
    item = await items.add(AnnotatedType.TRACE, "t")
    with pytest.raises(AnnotationQueueItemNotFound):
        await items.lock("nothing", people[0])
    elsewhere = AnnotationQueueItems(database, project.id, "no queue")
    for asking in (elsewhere.get(item.id), elsewhere.claim(people[0]), elsewhere.lock(item.id, people[0])):
        with pytest.raises(AnnotationQueueNotFound):
            await asking


async def test_what_waits_already_is_not_put_into_a_queue_twice(
    items: AnnotationQueueItems, people: tuple[UserId, UserId], clock: WallClock
) -> None:
    both = [Annotated(AnnotatedType.TRACE, "a"), Annotated(AnnotatedType.TRACE, "b")]
    assert await items.add_waiting([both[0], both[0]]) == 1
    clock.now += timedelta(seconds=1)
    assert await items.add_waiting(both) == 1
    first = await items.claim(people[0])
    assert first is not None
    assert first.object_id == "a"
    await items.set_status(first.id, ItemStatus.COMPLETED, by=people[0])
    assert await items.add_waiting(both) == 1, "what is completed can be put in again"


async def test_an_item_that_was_left_is_free_at_once_and_one_that_was_passed_is_not_given_again(
    items: AnnotationQueueItems, people: tuple[UserId, UserId]
) -> None:
    ada, bob = people
    item = await items.add(AnnotatedType.TRACE, "t")
    await items.lock(item.id, ada)
    await items.release(item.id, bob)
    assert await items.claim(bob) is None, "only who has it can leave it"
    await items.release(item.id, ada)
    assert await items.claim(ada, but=[item.id]) is None
    assert await items.claim(bob) is not None


async def test_a_second_opinion_is_given_on_what_others_have_completed(
    items: AnnotationQueueItems, people: tuple[UserId, UserId]
) -> None:
    ada, bob = people
    item = await items.add(AnnotatedType.TRACE, "t")
    await items.set_status(item.id, ItemStatus.COMPLETED, by=ada)
    assert await items.claim(ada, status=ItemStatus.COMPLETED) is None
    found = await items.claim(bob, status=ItemStatus.COMPLETED)
    assert found is not None
    assert (found.id, found.status) == (item.id, ItemStatus.COMPLETED)
