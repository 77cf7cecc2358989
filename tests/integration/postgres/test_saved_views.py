"""Views of tables that are kept for a project."""

import pytest

from dashboard.mandate import Mandate
from dashboard.view_changes import ViewChanges
from heliograph.domain.access import Project, Role
from heliograph.domain.errors import InvalidRequest, RoleInsufficient
from heliograph.domain.not_found import SavedViewNotFound
from storage.postgres.audit_log import AuditLog
from storage.postgres.connection import Database
from storage.postgres.projects import Projects
from storage.postgres.saved_views import SavedViews
from storage.postgres.users import Users


async def _changes(database: Database, project: Project, role: Role) -> ViewChanges:
    users = Users(database)
    user = await users.create(f"{role}-{project.id}@views.example", "Ada", "correct horse battery")
    await users.join_organization(user.id, project.organization_id, role)
    return ViewChanges(database, Mandate(database, project, user))


async def test_a_view_is_kept_for_its_page_and_replaced_by_one_of_its_name(
    database: Database, project: Project
) -> None:
    changes = await _changes(database, project, Role.MEMBER)
    first = await changes.keep("/traces", " slow ones ", "sort=latency_ms")
    again = await changes.keep("/traces", "slow ones", "sort=latency_ms&level=ERROR")
    await changes.keep("/observations", "slow ones", "type=TOOL")
    found = await SavedViews(database, project.id).of("/traces")
    assert [(view.name, view.query) for view in found] == [("slow ones", "sort=latency_ms&level=ERROR")]
    assert again.id == first.id
    told = await AuditLog(database).latest(9, project_id=project.id, resource_type="savedView")
    assert len(told) == 3


async def test_views_belong_to_their_project(database: Database, project: Project) -> None:
    kept = await (await _changes(database, project, Role.MEMBER)).keep("/traces", "mine", "")
    other = SavedViews(database, (await Projects(database).create("Other")).id)
    assert await other.of("/traces") == []
    with pytest.raises(SavedViewNotFound):
        await other.remove(kept.id)


async def test_who_may_only_read_keeps_no_view(database: Database, project: Project) -> None:
    kept = await (await _changes(database, project, Role.MEMBER)).keep("/traces", "mine", "")
    viewer = await _changes(database, project, Role.VIEWER)
    with pytest.raises(RoleInsufficient):
        await viewer.keep("/traces", "theirs", "")
    with pytest.raises(RoleInsufficient):
        await viewer.remove(kept.id)


async def test_a_view_has_a_name(database: Database, project: Project) -> None:
    with pytest.raises(InvalidRequest):
        await (await _changes(database, project, Role.MEMBER)).keep("/traces", "  ", "")
