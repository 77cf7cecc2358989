"""What becomes of a project that was ended: its events go first, then the rest of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from heliograph.domain.access import Project
from heliograph.domain.deletions import Deletion, Removed, SubjectType
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.not_found import ProjectNotFound
from pipelines.ended_projects import EndedProjects
from storage.postgres.connection import Database
from storage.postgres.deletions import Deletions
from storage.postgres.organization_projects import OrganizationProjects
from storage.postgres.projects import Projects


class Noted:
    """Notes requests to delete without any lane to append to."""

    def __init__(self, deletions: Deletions) -> None:
        self._deletions = deletions
        self.asked: list[Deletion] = []

    async def accept(
        self, project_id: ProjectId, subject_type: SubjectType, subjects: Sequence[str], *, requested_by: str
    ) -> Deletion:
        lanes = [LaneNumber(0)]
        self.asked.append(
            await self._deletions.request(project_id, subject_type, subjects, requested_by=requested_by, lanes=lanes)
        )
        return self.asked[-1]


async def test_its_events_are_deleted_before_it_is_removed(database: Database, project: Project) -> None:
    deletions = Deletions(database)
    requests = Noted(deletions)
    now = datetime.now(UTC)
    await OrganizationProjects(database, project.organization_id).end(project.id)
    with pytest.raises(ProjectNotFound):
        await Projects(database).get(project.id)

    await EndedProjects(database, requests, lambda: now).advance()
    assert requests.asked == []
    later = EndedProjects(database, requests, lambda: now + timedelta(minutes=1))
    for _ in range(2):
        assert await later.advance() == 0
    (asked,) = requests.asked
    assert (asked.project_id, asked.subject_type, asked.subjects) == (project.id, SubjectType.PROJECT, (project.id,))

    await deletions.report(asked.id, LaneNumber(0), Removed())
    assert await later.advance() == 1
    assert project.id not in {ended for ended, _ in await Projects(database).ended()}


async def test_a_request_that_was_lost_is_asked_again(database: Database, project: Project) -> None:
    requests = Noted(Deletions(database))
    await OrganizationProjects(database, project.organization_id).end(project.id)
    started = datetime.now(UTC)
    moments = iter(started + timedelta(minutes=minute) for minute in (1, 5, 12))
    following = EndedProjects(database, requests, lambda: next(moments))
    for _ in range(3):
        await following.advance()
    assert [one.project_id for one in requests.asked] == [project.id] * 2
