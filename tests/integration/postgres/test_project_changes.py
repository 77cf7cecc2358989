"""What people change from the dashboard, by their role."""

import asyncio
from typing import Any, cast

import pytest

from dashboard.changes import COMMENTS, PROMPTS, ProjectChanges
from dashboard.evaluator_trials import Trial
from dashboard.model_calls import Providers
from dashboard.own_events import OwnEvents
from dashboard.trace_changes import DELETION
from heliograph.domain.access import Project, Role
from heliograph.domain.annotations import Annotated, AnnotatedType, Progress
from heliograph.domain.audit import Actor, ActorType
from heliograph.domain.dashboards import NewDashboard
from heliograph.domain.errors import InvalidRequest, RoleInsufficient
from heliograph.domain.evaluation_jobs import Target
from heliograph.domain.evaluation_rules import RuleTarget
from heliograph.domain.filters import Page
from heliograph.domain.managed_dashboards import MANAGED_DASHBOARDS, MANAGED_WIDGETS
from heliograph.domain.project_evaluators import Definition, EvaluatorType, ModelChoice
from heliograph.domain.prompts import NewPrompt, PromptType
from heliograph.domain.score_configs import ScoreConfig
from heliograph.domain.scores import ScoreDataType
from heliograph.outbound import Outbound
from storage.postgres.annotation_queues import AnnotationQueues
from storage.postgres.audit_log import AuditLog
from storage.postgres.comments import CommentFilter, Comments
from storage.postgres.connection import Database
from storage.postgres.dashboard_widgets import Widgets
from storage.postgres.dashboards import Dashboards
from storage.postgres.evaluators import Evaluators
from storage.postgres.users import Users
from storage.seal import Seal


class Nowhere:
    """Nothing is to be sent."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(name)


NO_EVENTS = OwnEvents(cast("Any", Nowhere()), cast("Any", Nowhere()))
NO_CLICKHOUSE = cast("Any", Nowhere())
NO_PROVIDERS = Providers(Seal("key of the tests"), Outbound())
CODE = Definition(type=EvaluatorType.CODE, source_code="def evaluate(ctx):\n    return True\n")
NEW = NewPrompt(name="greeting", type=PromptType.TEXT, body="Hello")


async def changes_of(
    database: Database, project: Project, role: Role, events: OwnEvents | None = None
) -> ProjectChanges:
    users = Users(database)
    user = await users.create(f"{role}-{project.id}@changes.example", "Ada", "correct horse battery")
    await users.join_organization(user.id, project.organization_id, role)
    return ProjectChanges(
        NO_CLICKHOUSE, database, project, user=user, events=events or NO_EVENTS, providers=NO_PROVIDERS
    )


@pytest.mark.parametrize("role", [Role.VIEWER, Role.NONE])
async def test_who_may_only_read_changes_nothing(database: Database, project: Project, role: Role) -> None:
    changes = await changes_of(database, project, role)
    assert not await changes.may(COMMENTS)
    assert not await changes.may(PROMPTS)
    with pytest.raises(RoleInsufficient):
        await changes.comment_on_trace("t", "text")
    with pytest.raises(RoleInsufficient):
        await changes.create_prompt_version(NEW)
    with pytest.raises(RoleInsufficient):
        await changes.label_prompt("greeting", 1, ["production"])
    assert await Comments(database, project.id).page(CommentFilter(), Page()) == ([], 0)


async def test_a_member_comments_and_changes_prompts(database: Database, project: Project) -> None:
    changes = await changes_of(database, project, Role.MEMBER)
    await changes.comment_on_trace("t", "text")
    (comment,), _ = await Comments(database, project.id).page(CommentFilter(), Page())
    assert (comment.content, comment.author_user_id) == ("text", changes.user.id)
    made = await changes.create_prompt_version(NEW)
    labelled = await changes.label_prompt(made.name, made.version, ["production"])
    assert labelled.labels == ("latest", "production")
    with pytest.raises(InvalidRequest):
        await changes.comment_on_trace("t", "  ")


async def test_the_audit_log_names_whoever_changed_something(database: Database, project: Project) -> None:
    changes = await changes_of(database, project, Role.MEMBER)
    await asyncio.create_task(changes.create_prompt_version(NEW))
    entries = await AuditLog(database).latest(5, project_id=project.id)
    assert Actor(ActorType.USER, changes.user.id, changes.user.email) in [entry.actor for entry in entries]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.NONE])
async def test_who_may_only_read_changes_no_dashboard(database: Database, project: Project, role: Role) -> None:
    kept = await Dashboards(database, project.id).create(NewDashboard(name="theirs"))
    changes = (await changes_of(database, project, role)).dashboards
    for attempt in (
        changes.create("mine"),
        changes.duplicate(MANAGED_DASHBOARDS["heliograph-cost"]),
        changes.rename(kept.id, "mine", ""),
        changes.delete(kept),
        changes.lay_out(kept.id, {}),
        changes.remove(kept.id, "1"),
        changes.keep_widget(kept.id, "new", MANAGED_WIDGETS["heliograph-cost-1"].definition),
    ):
        with pytest.raises(RoleInsufficient):
            await attempt
    assert await Dashboards(database, project.id).page(Page()) == ([kept], 1)


async def test_a_dashboard_goes_with_the_widgets_that_no_other_shows(database: Database, project: Project) -> None:
    changes = (await changes_of(database, project, Role.MEMBER)).dashboards
    board, other = await changes.create("one"), await changes.create("other")
    definition = MANAGED_WIDGETS["heliograph-cost-1"].definition
    shared, own = [await changes.keep_widget(board.id, "new", definition) for _ in range(2)]
    dashboards, widgets = Dashboards(database, project.id), Widgets(database, project.id)
    first, second = (await dashboards.get(board.id)).placements
    assert (first.y, first.height, second.y) == (0, 2, 2)
    moved = await changes.lay_out(board.id, {second.id: first.model_copy(update={"x": 6})})
    assert [(each.x, each.y, each.widget_id) for each in moved.placements] == [(0, 0, shared.id), (6, 0, own.id)]
    await dashboards.place(other.id, first)
    await changes.delete(moved)
    assert (await widgets.of([shared.id, own.id])).keys() == {shared.id}
    await changes.remove(other.id, first.id)
    assert await widgets.of([shared.id]) == {}


class Requests:
    """Requests to delete, in memory."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    async def accept(self, project_id: str, subject_type: object, subjects: list[str], *, requested_by: str) -> None:
        assert (bool(project_id), str(subject_type), "@" in requested_by) == (True, "trace", True)
        self.deleted += subjects


async def test_traces_are_deleted_by_who_may(database: Database, project: Project) -> None:
    requests = Requests()
    for role, gone in ((Role.MEMBER, []), (Role.ADMIN, ["t1", "t2"])):
        changes = await changes_of(database, project, role, OwnEvents(cast("Any", Nowhere()), cast("Any", requests)))
        assert await changes.may(DELETION) is bool(gone)
        if not gone:
            with pytest.raises(RoleInsufficient):
                await changes.traces.delete(["t1", "t2"])
        else:
            await changes.traces.delete(["t1", "t2"])
        assert requests.deleted == gone


async def test_queues_and_their_people_are_changed_by_who_may(database: Database, project: Project) -> None:
    admin, member, viewer = [
        await changes_of(database, project, role) for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER)
    ]  # fmt: skip
    with pytest.raises(RoleInsufficient):
        await viewer.annotation.put_queue("", "queue", description="", config_ids=["c"])
    config = await member.annotation.create_config(ScoreConfig(name="note", data_type=ScoreDataType.TEXT))
    with pytest.raises(InvalidRequest, match="choose at least one"):
        await member.annotation.put_queue("", "queue", description="", config_ids=[])
    queue = await member.annotation.put_queue("", "queue", description="", config_ids=[config.id])
    changed = await member.annotation.put_queue(queue.id, "other", description="why", config_ids=[config.id])
    assert (changed.id, changed.name, changed.description) == (queue.id, "other", "why")
    with pytest.raises(RoleInsufficient):
        await member.annotation.assign(queue.id, [admin.user.id])
    await admin.annotation.assign(queue.id, [admin.user.id, member.user.id])
    await admin.annotation.assign(queue.id, [member.user.id])
    assert await AnnotationQueues(database, project.id).assigned(queue.id) == [member.user.id]
    assert await member.annotation.add(queue.id, [Annotated(AnnotatedType.TRACE, "t")]) == 1
    assert (await AnnotationQueues(database, project.id).progress([queue.id]))[queue.id] == Progress(0, 1)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.NONE])
async def test_who_may_only_read_neither_keeps_nor_tries_evaluators(
    database: Database, project: Project, role: Role
) -> None:
    changes = await changes_of(database, project, role)
    kept = await Evaluators(database, project.id).save("theirs", CODE)
    for attempt in (
        changes.evaluators.save("mine", CODE),
        changes.evaluators.delete(kept.id),
        changes.evaluators.set_default_model(ModelChoice(provider="house", model="gpt-4o-mini")),
        anext(changes.trials.run(Trial("mine", CODE), [Target(RuleTarget.TRACE, "t", "t", 0)])),
    ):
        with pytest.raises(RoleInsufficient):
            await attempt
    assert await Evaluators(database, project.id).page(Page()) == ([kept], 1)


async def test_evaluators_are_kept_in_versions_that_can_all_be_read(database: Database, project: Project) -> None:
    changes = (await changes_of(database, project, Role.MEMBER)).evaluators
    other = Definition(type=EvaluatorType.CODE, source_code="def evaluate(ctx):\n    return False\n")
    await changes.save("always", CODE)
    made = await changes.save("always", other)
    evaluators = Evaluators(database, project.id)
    assert [(each.version, each.definition) for each in await evaluators.versions(made.id)] == [(2, other), (1, CODE)]
    for name, definition in (("", CODE), ("n" * 256, CODE), ("judge", Definition(type=EvaluatorType.LLM_AS_JUDGE))):
        with pytest.raises(InvalidRequest):
            await changes.save(name, definition)
    await changes.delete(made.id)
    assert await evaluators.page(Page()) == ([], 0)
