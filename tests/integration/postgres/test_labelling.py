"""People who label a queue at the same time, and what becomes of scores that cannot be stored."""

import asyncio
from collections.abc import Sequence

import pytest

from dashboard.labelling import Labelling
from dashboard.mandate import Mandate
from dashboard.own_events import OwnEvents
from dashboard.queries.annotation import OpenedItem
from dashboard.queries.subjects import Subject
from dashboard.queue_work import QueueWork
from heliograph.domain.access import Project, Role, User
from heliograph.domain.annotations import Annotated, AnnotatedType, ItemStatus, QueueItem
from heliograph.domain.deletions import Deletion, SubjectType
from heliograph.domain.errors import RoleInsufficient, Unavailable
from heliograph.domain.events import MappedBatch
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId, UserId
from heliograph.domain.score_configs import TRUTHS, ScoreConfig
from heliograph.domain.scores import ScoreDataType
from ingestion.annotated_scores import Target
from ingestion.otlp import ExportTraceServiceRequest
from ingestion.scores import ScoreBody
from storage.postgres.annotation_queue_items import AnnotationQueueItems
from storage.postgres.annotation_queues import AnnotationQueues
from storage.postgres.connection import Database
from storage.postgres.score_configs import ScoreConfigs
from storage.postgres.users import Users

ITEMS = 30


class Kept:
    """Scores in memory; none while the lanes are away."""

    def __init__(self) -> None:
        self.scores: dict[str, ScoreBody] = {}
        self.is_away = False

    async def take_scores(self, project: Project, bodies: Sequence[ScoreBody]) -> None:
        del project
        await asyncio.sleep(0)
        if self.is_away:
            raise Unavailable("The ingestion lane", 1.0)
        self.scores |= {body.id: body for body in bodies}

    async def take_spans(self, project: Project, export: ExportTraceServiceRequest) -> MappedBatch:
        raise NotImplementedError

    async def accept(
        self, project_id: ProjectId, subject_type: SubjectType, subjects: Sequence[str], *, requested_by: str
    ) -> Deletion:
        assert (project_id, subject_type, bool(requested_by)) == (project_id, SubjectType.SCORE, True)
        for subject in subjects:
            self.scores.pop(subject, None)
        return Deletion.__new__(Deletion)


class Room:
    """A queue of traces that wait, and people who work on it."""

    def __init__(self, database: Database, project: Project, config: ScoreConfig, queue_id: str) -> None:
        self.database, self.project, self.config, self.queue_id = database, project, config, queue_id
        self.kept = Kept()
        self.troubles: list[str] = []

    async def person(self, name: str, role: Role = Role.MEMBER) -> tuple[User, Labelling]:
        users = Users(self.database)
        user = await users.create(f"{name}-{self.project.id}@labelling.example", name, "correct horse battery")
        await users.join_organization(user.id, self.project.organization_id, role)
        work = QueueWork(
            self.database, Mandate(self.database, self.project, user), OwnEvents(self.kept, self.kept),
            queue_id=self.queue_id,
        )  # fmt: skip
        return user, Labelling(work, _open, configs=[self.config], on_trouble=self.troubles.append)

    async def completed(self) -> list[QueueItem]:
        items = AnnotationQueueItems(self.database, self.project.id, self.queue_id)
        return (await items.page(Page(size=100), ItemStatus.COMPLETED))[0]


@pytest.fixture
async def room(database: Database, project: Project) -> Room:
    config = await ScoreConfigs(database, project.id).create(
        ScoreConfig(name="safe", data_type=ScoreDataType.BOOLEAN, categories=TRUTHS)
    )
    queue = await AnnotationQueues(database, project.id).create("queue", None, [config.id])
    items = AnnotationQueueItems(database, project.id, queue.id)
    await items.add_waiting([Annotated(AnnotatedType.TRACE, f"trace {number}") for number in range(ITEMS)])
    return Room(database, project, config, queue.id)


async def _open(item: QueueItem) -> OpenedItem:
    subject = Subject(AnnotatedType.TRACE, Target(trace_id=item.object_id), item.object_id)
    return OpenedItem(item, subject, {})


async def _label_all(labelling: Labelling, config: ScoreConfig) -> list[str]:
    await labelling.start()
    seen = []
    while (opened := labelling.current) is not None:
        seen.append(opened.item.object_id)
        labelling.say(opened.item.id, config.id, 1)
        await labelling.complete()
    await labelling.leave()
    return seen


async def test_no_two_people_label_the_same_item(room: Room) -> None:
    people = [await room.person(name) for name in ("ada", "bob", "cleo")]
    seen = await asyncio.gather(*(_label_all(labelling, room.config) for _, labelling in people))
    labelled = [name for names in seen for name in names]
    assert sorted(labelled) == sorted(f"trace {number}" for number in range(ITEMS))
    assert {body.trace_id for body in room.kept.scores.values()} == set(labelled)
    by = {user.id: set(names) for (user, _), names in zip(people, seen, strict=True)}
    assert all(body.trace_id in by[UserId(body.author_user_id)] for body in room.kept.scores.values())
    assert all(body.source == "ANNOTATION" and body.queue_id == room.queue_id for body in room.kept.scores.values())
    assert {item.object_id for item in await room.completed()} == set(labelled)
    assert room.troubles == []


async def test_an_item_is_not_complete_before_its_scores_are_stored(room: Room) -> None:
    _, labelling = await room.person("ada")
    await labelling.start()
    first = labelling.current
    assert first is not None
    room.kept.is_away = True
    labelling.say(first.item.id, room.config.id, 1)
    await labelling.complete()
    assert labelling.current not in (None, first), "nobody waits for what is stored behind"
    await labelling.leave()
    assert await room.completed() == []
    assert any("was not stored" in trouble for trouble in room.troubles)
    assert any("was not completed" in trouble for trouble in room.troubles)
    room.kept.is_away = False
    labelling.previous()
    labelling.say(first.item.id, room.config.id, 0)
    await labelling.complete()
    await labelling.leave()
    assert [item.id for item in await room.completed()] == [first.item.id]


async def test_what_was_said_is_replaced_taken_back_and_seen_again(room: Room) -> None:
    user, labelling = await room.person("ada")
    await labelling.start()
    opened = labelling.current
    assert opened is not None
    labelling.say(opened.item.id, room.config.id, 1)
    labelling.say(opened.item.id, room.config.id, 0)
    await labelling.next()
    labelling.previous()
    assert labelling.current is not None
    assert labelling.current.answers == {room.config.id: 0}
    await labelling.leave()
    assert [(body.value, body.author_user_id) for body in room.kept.scores.values()] == [(0.0, user.id)]
    labelling.say(opened.item.id, room.config.id, None)
    await labelling.leave()
    assert room.kept.scores == {}


async def test_items_that_are_left_wait_for_others_at_once(room: Room) -> None:
    _, ada = await room.person("ada")
    await ada.start()
    await ada.next()
    left = ada.current
    await ada.leave()
    _, bob = await room.person("bob")
    seen = await _label_all(bob, room.config)
    assert left is not None
    assert len(seen) == ITEMS


async def test_who_may_only_read_labels_nothing(room: Room) -> None:
    _, labelling = await room.person("vera", Role.VIEWER)
    with pytest.raises(RoleInsufficient):
        await labelling.start()
    assert room.kept.scores == {}
