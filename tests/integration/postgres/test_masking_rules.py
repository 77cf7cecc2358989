"""Masking rules of projects, as PostgreSQL keeps them."""

from dataclasses import replace

import pytest

from heliograph.domain.access import Project
from heliograph.domain.errors import InvalidRequest, Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.masking import MAX_RULES, MaskedField, MaskingRule, RuleKind
from heliograph.domain.not_found import MaskingRuleNotFound
from ingestion.masking.projects import ProjectMasking
from storage.postgres.connection import Database
from storage.postgres.masking_rules import AllMaskingRules, MaskingRules

RULE = MaskingRule("", RuleKind.EXPRESSION, r"pin \d+", MaskedField.INPUT, "[pin]")
CALLBACK = MaskingRule("", RuleKind.CALLBACK, "https://h/", is_fail_closed=True, headers=("x-tenant",))


async def test_a_rule_comes_back_whole_and_in_order(database: Database, project: Project) -> None:
    rules = MaskingRules(database, project.id)
    made = [await rules.add(rule) for rule in (RULE, CALLBACK)]
    assert [replace(rule, id="", project_id="", created_at=None) for rule in made] == [RULE, CALLBACK]
    assert await rules.all() == made


async def test_the_same_rule_is_kept_once(database: Database, project: Project) -> None:
    rules = MaskingRules(database, project.id)
    await rules.add(RULE)
    await rules.add(replace(RULE, field=MaskedField.OUTPUT))
    with pytest.raises(InvalidRequest, match="target: is taken already"):
        await rules.add(RULE)


async def test_a_project_has_so_many_rules_and_no_more(database: Database, project: Project) -> None:
    rules = MaskingRules(database, project.id)
    for number in range(MAX_RULES):
        await rules.add(replace(RULE, target=f"x{number}"))
    with pytest.raises(InvalidRequest, match="one too many"):
        await rules.add(RULE)


async def test_another_projects_rule_is_not_found(database: Database, project: Project) -> None:
    made = await MaskingRules(database, project.id).add(RULE)
    others = MaskingRules(database, ProjectId("other"))
    assert await others.all() == []
    with pytest.raises(MaskingRuleNotFound):
        await others.remove(made.id)


async def test_every_replica_follows_every_change(database: Database, project: Project) -> None:
    rules = MaskingRules(database, project.id)
    replicas = [ProjectMasking(AllMaskingRules(database)) for _ in range(2)]

    async def masked() -> set[str]:
        for replica in replicas:
            await replica.refresh()
        return {replica.of(project.id).masker.text("pin 1", (MaskedField.INPUT,)) for replica in replicas}

    assert await masked() == {"pin 1"}
    made = await rules.add(RULE)
    assert await masked() == {"[pin]"}
    # As many rules as before, and a newest one that is older than the newest before.
    await rules.add(CALLBACK)
    await rules.remove(made.id)
    assert await masked() == {"pin 1"}
    assert all(len(replica.of(project.id).callbacks) == 1 for replica in replicas)


async def test_nothing_is_known_while_postgresql_was_never_there(project: Project) -> None:
    away = ProjectMasking(AllMaskingRules(Database("postgresql+psycopg://nobody:x@127.0.0.1:1/nothing")))
    await away.look()
    with pytest.raises(Unavailable):
        away.of(project.id)
