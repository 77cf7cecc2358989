"""The audit log: every change of configuration, by whom, from what to what, in the transaction of the change."""

import asyncio
from datetime import timedelta

import pytest

from heliograph.domain.access import OfOrganization, Project
from heliograph.domain.audit import Actor, ActorType, AuditEntry, act_as
from heliograph.domain.errors import InvalidRequest, KeyRevoked
from heliograph.domain.limits import ProjectLimits
from heliograph.domain.masking import MaskingRule, RuleKind
from heliograph.domain.prompts import Choice, NewPrompt, PromptType
from heliograph.domain.score_configs import ScoreConfig
from heliograph.domain.scores import ScoreDataType
from storage.postgres.api_keys import ApiKeys
from storage.postgres.audit_log import AuditLog
from storage.postgres.connection import Database
from storage.postgres.limits import LimitsOfProjects
from storage.postgres.masking_rules import MaskingRules
from storage.postgres.projects import Projects
from storage.postgres.prompts import Prompts
from storage.postgres.score_configs import ScoreConfigs
from storage.postgres.users import Users
from tests.integration.postgres.conftest import PEPPER


async def entries(database: Database, project: Project, resource_type: str = "") -> list[AuditEntry]:
    """Those of the project, the oldest first."""
    found = await AuditLog(database).latest(100, project_id=project.id, resource_type=resource_type)
    return found[::-1]


async def test_a_change_is_told_with_its_actor_before_and_after(database: Database, project: Project) -> None:
    act_as(Actor(ActorType.API_KEY, "key", "pk-lf-1"))
    limits = LimitsOfProjects(database)
    await limits.set(project.id, ProjectLimits(events_per_day=5))
    await limits.set(project.id, ProjectLimits(events_per_day=7))
    await limits.set(project.id, ProjectLimits(events_per_day=7))

    created, changed = await entries(database, project, "projectLimits")
    assert (created.action, created.before, created.after["events_per_day"]) == ("create", None, 5)
    assert (changed.action, changed.before["events_per_day"], changed.after["events_per_day"]) == ("update", 5, 7)
    assert changed.actor == Actor(ActorType.API_KEY, "key", "pk-lf-1")
    assert (changed.organization_id, changed.resource_id) == (project.organization_id, project.id)


async def test_without_an_actor_it_was_the_system(database: Database, project: Project) -> None:
    (created,) = await entries(database, project, "project")
    assert (created.actor.type, created.after["name"]) == (ActorType.SYSTEM, project.name)


async def test_no_secret_gets_into_it_but_its_change_is_seen(database: Database, project: Project) -> None:
    keys = ApiKeys(database, PEPPER)
    issued = await keys.create(project.id)
    await keys.revoke(issued.public_key)
    created, revoked = await entries(database, project, "apiKey")
    assert created.after["secret_digest"].startswith("hidden, ")
    assert (created.after["revoked_at"], revoked.before["revoked_at"]) == (None, None)
    assert revoked.after["revoked_at"]

    users = Users(database)
    user = await users.create(f"{issued.id}@example.org", "Someone", "first")
    await users.change(user.id, password="second")
    found = await AuditLog(database).latest(100, resource_type="user")
    changed = next(entry for entry in found if entry.resource_id == user.id)
    assert changed.before["password_hash"] != changed.after["password_hash"]
    assert "argon2" not in str(found)


async def test_a_change_that_fails_leaves_nothing(database: Database, project: Project) -> None:
    with pytest.raises(InvalidRequest):
        await Projects(database).create(project.name, organization_id=project.organization_id)
    known = await AuditLog(database).latest(50, organization_id=project.organization_id, resource_type="project")
    assert [one.after["name"] for one in known].count(project.name) == 1


async def test_every_kind_of_configuration_is_in_it(database: Database, project: Project) -> None:
    await MaskingRules(database, project.id).add(MaskingRule("", RuleKind.DETECTOR, "email"))
    await ScoreConfigs(database, project.id).create(ScoreConfig(name="score", data_type=ScoreDataType.NUMERIC))
    prompts = Prompts(database, project.id)
    await prompts.created(
        NewPrompt(name="greet", type=PromptType.TEXT, body="hello \0", config={"a": "\0 \ud800 x \ude00 \U0001f600"})
    )
    await prompts.created(NewPrompt(name="greet", type=PromptType.TEXT, body="hello", labels=("production",)))
    await prompts.delete("greet", Choice(1))

    told = [(one.resource_type, one.action, one.resource_id) for one in await entries(database, project)]
    assert ("maskingRule", "create") in {entry[:2] for entry in told}
    assert ("scoreConfig", "create") in {entry[:2] for entry in told}
    assert [entry for entry in told if entry[0].startswith("prompt")] == [
        ("prompt", "create", "greet"),
        ("promptVersion", "create", "greet:1"),
        ("promptLabel", "create", "greet:latest"),
        ("promptVersion", "create", "greet:2"),
        ("promptLabel", "update", "greet:latest"),
        ("promptLabel", "create", "greet:production"),
        ("promptVersion", "delete", "greet:1"),
    ]


async def test_a_removed_project_leaves_who_but_not_what(database: Database, project: Project) -> None:
    await ScoreConfigs(database, project.id).create(ScoreConfig(name="secret", data_type=ScoreDataType.NUMERIC))
    await Projects(database).remove(project.id)
    left = await entries(database, project)
    assert [one.action for one in left] == ["create", "create", "delete"]
    assert [(one.before, one.after) for one in left] == [(None, None)] * 3


async def test_a_rotated_key_overlaps_with_its_successor(database: Database, project: Project) -> None:
    keys = ApiKeys(database, PEPPER)
    old = await keys.create(OfOrganization(project.organization_id), note="ours")
    fresh = await keys.rotate(old.public_key, timedelta(milliseconds=400))
    assert (await keys.verify(old.public_key, old.secret_key)).organization_id == project.organization_id
    assert (await keys.verify(fresh.public_key, fresh.secret_key)).project_id == ""
    assert fresh.note == "ours"
    await asyncio.sleep(0.5)
    with pytest.raises(KeyRevoked):
        await keys.verify(old.public_key, old.secret_key)
    assert (await keys.verify(fresh.public_key, fresh.secret_key)).api_key_id == fresh.id
