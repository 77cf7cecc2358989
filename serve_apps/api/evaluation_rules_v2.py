"""Evaluation rules, in the second generation: evaluators by their ids, and a cursor instead of pages."""

from typing import Annotated

from fastapi import APIRouter, Query

from heliograph.domain.errors import InvalidRequest
from serve_apps.api.answers import Answer, answer
from serve_apps.api.creations import Walked, cursor_after
from serve_apps.api.evaluation_rules import Drafts, Rules
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.evaluation_rules_v2 import ChangedRule, EvaluationRuleV2, NewRuleBody, rule_v2
from serve_apps.api.shapes.lists import CursorMeta, Identified, PartOf

router = APIRouter(prefix="/v2/evaluation-rules", tags=["evaluators"])


@router.post("")
async def create_rule(body: NewRuleBody, rules: Rules, drafts: Drafts) -> Answer[EvaluationRuleV2]:
    """Keep a rule about what arrives from now on."""
    return answer(rule_v2(await rules.create(await drafts.of(body.rule))))


@router.get("")
async def list_rules(asked: Annotated[Walked, Query()], rules: Rules) -> Answer[PartOf[EvaluationRuleV2]]:
    """The project's rules, the newest first."""
    found = await rules.older(asked.after, asked.size + 1)
    shown = found[: asked.size]
    more: CursorMeta = cursor_after(shown[-1].created_at, shown[-1].id) if len(found) > asked.size else {}
    return answer({"data": list(map(rule_v2, shown)), "meta": more})


@router.get("/{rule_id}")
async def get_rule(rule_id: Text, rules: Rules) -> Answer[EvaluationRuleV2]:
    """One rule."""
    return answer(rule_v2(await rules.get(rule_id)))


@router.patch("/{rule_id}")
async def change_rule(rule_id: Text, body: ChangedRule, *, rules: Rules, drafts: Drafts) -> Answer[EvaluationRuleV2]:
    """Change what is named. `enabled: true` also resumes a paused rule, once its cause is removed."""
    if not body.model_fields_set:
        raise InvalidRequest("body", "names nothing to change")
    changed = await drafts.changed(await rules.get(rule_id), body.change)
    return answer(rule_v2(await rules.replace(rule_id, changed, is_resumed=body.enabled is True)))


@router.delete("/{rule_id}")
async def delete_rule(rule_id: Text, rules: Rules) -> Answer[Identified]:
    """Delete a rule; its evaluators and its scores stay."""
    await rules.delete(rule_id)
    return answer({"id": rule_id})
