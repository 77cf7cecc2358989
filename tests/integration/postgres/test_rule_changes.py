"""Evaluation rules as people change them from the pages."""

import pytest

from dashboard.rule_changes import RuleChanges
from heliograph.domain.access import Project, Role
from heliograph.domain.errors import RoleInsufficient
from heliograph.domain.evaluation_errors import RuleInvalid
from heliograph.domain.evaluation_jobs import JobState, NewJob, Target
from heliograph.domain.evaluation_rules import EvaluationRule, MappingSource, NewRule, RuleTarget, VariableMapping
from storage.postgres.connection import Database
from storage.postgres.evaluation_jobs import EvaluationJobs, ProjectTallies
from storage.postgres.evaluation_rules import AllEvaluationRules, EvaluationRules
from storage.postgres.evaluators import Evaluators
from tests.integration.pipelines.rules import AT_ONCE, CODE, JUDGE
from tests.integration.postgres.test_project_changes import changes_of

NEW = NewRule(name="live", target=RuleTarget.OBSERVATION, is_enabled=True, assignments=())


async def _kept(database: Database, project: Project, changes: RuleChanges) -> EvaluationRule:
    code = await Evaluators(database, project.id).save("exact", CODE)
    return await changes.create(NEW, {code.id: None})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.NONE])
async def test_who_may_only_read_changes_no_rule(database: Database, project: Project, role: Role) -> None:
    owner = (await changes_of(database, project, Role.OWNER)).rules
    rule = await _kept(database, project, owner)
    changes = (await changes_of(database, project, role)).rules
    for attempt in (
        changes.create(NEW, {}),
        changes.change(rule.id, NEW, {}),
        changes.enable(rule.id, is_enabled=False),
        changes.estimate(NEW, {}),
        changes.retry(rule.id),
        changes.delete(rule.id),
    ):
        with pytest.raises(RoleInsufficient):
            await attempt
    assert await EvaluationRules(database, project.id).get(rule.id) == rule


async def test_a_paused_rule_goes_on_once_it_is_enabled(database: Database, project: Project) -> None:
    changes = (await changes_of(database, project, Role.OWNER)).rules
    rule = await _kept(database, project, changes)
    await AllEvaluationRules(database).block(rule.id, "EVAL_RULE_FAILING", "It failed too often.")
    disabled = await changes.enable(rule.id, is_enabled=False)
    assert (disabled.status, disabled.block is None) == ("inactive", False)
    enabled = await changes.enable(rule.id, is_enabled=True)
    assert (enabled.status, enabled.block, enabled.assignments) == ("active", None, rule.assignments)


async def test_a_rule_whose_variables_nothing_fills_is_refused(database: Database, project: Project) -> None:
    changes = (await changes_of(database, project, Role.OWNER)).rules
    judge = await Evaluators(database, project.id).save("right", JUDGE)
    disabled = NewRule(name="judged", target=RuleTarget.OBSERVATION, is_enabled=False, assignments=())
    with pytest.raises(RuleInvalid, match="'answer'"):
        await changes.create(disabled, {judge.id: ()})
    mapping = (VariableMapping("answer", MappingSource.OUTPUT),)
    assert (await changes.create(disabled, {judge.id: mapping})).assignments[0].mapping == mapping


async def test_executions_are_counted_by_rule_and_state(database: Database, project: Project) -> None:
    rule = await _kept(database, project, (await changes_of(database, project, Role.OWNER)).rules)
    target = RuleTarget.OBSERVATION
    new = [
        NewJob(
            project_id=project.id, rule_id=rule.id, evaluator_id=rule.assignments[0].evaluator_id,
            evaluator_version="v", target=Target(target, f"o{number}", "t", 1), delay=AT_ONCE,
        )
        for number in range(3)
    ]  # fmt: skip
    jobs = EvaluationJobs(database)
    await jobs.add(new)
    await jobs.fail(new[0].id, "ERROR", "no")
    assert await ProjectTallies(database, project.id).of_rules([rule.id, "other"]) == {
        rule.id: {JobState.PENDING: 2, JobState.ERROR: 1},
        "other": {},
    }
