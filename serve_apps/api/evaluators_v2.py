"""Evaluators, in the second generation: known by their ids, with their versions, and walked by a cursor."""

from typing import Annotated

from fastapi import APIRouter, Body, Query

from serve_apps.api.answers import Answer, answer
from serve_apps.api.creations import Walked, cursor_after
from serve_apps.api.evaluation_rules import Rules
from serve_apps.api.evaluators import ProjectEvaluators
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.evaluators_v2 import (
    ChangedCode,
    ChangedJudge,
    Code,
    EvaluatorV2,
    EvaluatorVersionV2,
    Judge,
    Renamed,
    evaluator_v2,
    version_v2,
)
from serve_apps.api.shapes.lists import CursorMeta, Identified, PartOf

router = APIRouter(prefix="/v2/evaluators", tags=["evaluators"])

NewEvaluator = Annotated[Judge | Code, Body(discriminator="type")]


@router.post("")
async def create_evaluator(body: NewEvaluator, evaluators: ProjectEvaluators) -> Answer[EvaluatorV2]:
    """Create an evaluator in its first version, under a name that no other one has."""
    return answer(evaluator_v2(await evaluators.save(body.name, body.definition, is_first=True), []))


@router.get("")
async def list_evaluators(
    asked: Annotated[Walked, Query()], evaluators: ProjectEvaluators, rules: Rules
) -> Answer[PartOf[EvaluatorV2]]:
    """The project's evaluators in their latest versions, the newest first."""
    found = await evaluators.older(asked.after, asked.size + 1)
    shown = found[: asked.size]
    uses = await rules.using([one.id for one in shown])
    more: CursorMeta = cursor_after(shown[-1].created_at, shown[-1].id) if len(found) > asked.size else {}
    return answer({"data": [evaluator_v2(one, uses) for one in shown], "meta": more})


@router.get("/{evaluator_id}")
async def get_evaluator(evaluator_id: Text, evaluators: ProjectEvaluators, rules: Rules) -> Answer[EvaluatorV2]:
    """The latest version of an evaluator, and the rules that use it."""
    found = await evaluators.get(evaluator_id)
    return answer(evaluator_v2(found, await rules.using([found.id])))


@router.patch("/{evaluator_id}")
async def change_evaluator(
    evaluator_id: Text, body: ChangedJudge | ChangedCode | Renamed, *, evaluators: ProjectEvaluators, rules: Rules
) -> Answer[EvaluatorV2]:
    """Rename an evaluator, or define its next version, which its rules use from then on."""
    changed = await evaluators.change(evaluator_id, body.name, body.definition)
    return answer(evaluator_v2(changed, await rules.using([changed.id])))


@router.delete("/{evaluator_id}")
async def delete_evaluator(evaluator_id: Text, evaluators: ProjectEvaluators) -> Answer[Identified]:
    """Delete an evaluator with all of its versions, and rules that have no other one; its scores stay."""
    await evaluators.delete(evaluator_id)
    return answer({"id": evaluator_id})


@router.get("/{evaluator_id}/versions")
async def list_versions(
    evaluator_id: Text, asked: Annotated[Walked, Query()], evaluators: ProjectEvaluators
) -> Answer[PartOf[EvaluatorVersionV2]]:
    """The versions of an evaluator, the newest first."""
    after = asked.after
    found = [one for one in await evaluators.versions(evaluator_id) if after is None or one.created_at < after.at]
    shown = found[: asked.size]
    more: CursorMeta = cursor_after(shown[-1].created_at, evaluator_id) if len(found) > asked.size else {}
    return answer({"data": [version_v2(evaluator_id, one) for one in shown], "meta": more})
