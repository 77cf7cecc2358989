"""Evaluators in versions, and rules about what arrives."""

from typing import Any

import pytest

pytestmark = pytest.mark.needs("evaluators.create")
JUDGE = {
    "type": "llm_as_judge",
    "prompt": "Is {{output}} right?",
    "output_definition": {"data_type": "NUMERIC", "min_value": 0.0, "max_value": 1.0},
}


def test_an_evaluator_is_created_changed_listed_and_deleted(api: Any, name: str) -> None:
    made = api("evaluators.create", name=name, **JUDGE)
    assert (made.name, made.version, made.variables, made.status) == (name, 1, ["output"], "active")
    assert [(each.role, each.content) for each in made.prompt] == [("user", "Is {{output}} right?")]

    changed = api("evaluators.update", evaluator_id=made.id, **{**JUDGE, "prompt": "Is {{answer}} right?"})

    assert (changed.id, changed.version, changed.variables) == (made.id, 2, ["answer"])
    renamed = api("evaluators.update", evaluator_id=made.id, name=f"{name}-b")
    assert (renamed.name, renamed.version) == (f"{name}-b", 2)
    assert api("evaluators.get", evaluator_id=made.id) == renamed
    assert [each.version for each in api("evaluators.list_versions", evaluator_id=made.id).data] == [2, 1]
    assert made.id in [each.id for each in api("evaluators.list", limit=100).data]
    assert api("evaluators.delete", evaluator_id=made.id).id == made.id
    assert made.id not in [each.id for each in api("evaluators.list", limit=100).data]


def test_a_rule_is_created_changed_listed_and_deleted(api: Any, name: str) -> None:
    judge = api("evaluators.create", name=name, **JUDGE)
    filter_ = [{"type": "stringOptions", "column": "type", "operator": "any of", "value": ["GENERATION"]}]
    mapping = [{"variable": "output", "source": "output"}]
    assigned = [{"evaluator_id": judge.id, "variable_mapping": mapping}]

    made = api("evaluation_rules.create", name=name, enabled=False, evaluator_assignments=assigned, filter=filter_)

    assert (made.name, made.enabled, made.sampling, made.filter[0].value) == (name, False, 1.0, ["GENERATION"])
    assert [each.evaluator_id for each in made.evaluator_assignments] == [judge.id]
    changed = api("evaluation_rules.update", evaluation_rule_id=made.id, sampling=0.5)
    assert (changed.sampling, changed.name) == (0.5, name)
    assert api("evaluation_rules.get", evaluation_rule_id=made.id) == changed
    assert made.id in [each.id for each in api("evaluation_rules.list", limit=100).data]
    used = api("evaluators.get", evaluator_id=judge.id).evaluation_rule_assignments
    assert [each.evaluation_rule_id for each in used] == [made.id]
    assert api("evaluation_rules.delete", evaluation_rule_id=made.id).id == made.id
    assert made.id not in [each.id for each in api("evaluation_rules.list", limit=100).data]
