"""Evaluators that the project keeps: prompts for judges, and code."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Discriminator, Tag

from heliograph.domain.project_evaluators import ModelChoice
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Paged, Text
from serve_apps.api.shapes.evaluators import (
    CodeBody,
    DefaultModelShape,
    EvaluatorShape,
    JudgeBody,
    evaluator_shape,
    model_shape,
)
from serve_apps.api.shapes.lists import PageOf, Told
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.evaluators import Evaluators

router = APIRouter(prefix="/unstable/evaluators", tags=["unstable"])
model_router = APIRouter(prefix="/unstable/evaluation-model", tags=["unstable"])


async def _evaluators(dependencies: Dependencies, principal: ProjectPrincipal) -> Evaluators:
    return Evaluators(dependencies.database, principal.project_id)


ProjectEvaluators = Annotated[Evaluators, Depends(_evaluators)]


def _type(body: object) -> str:
    """The type of a body; one without is of before there was code."""
    found = body.get("type", "llm_as_judge") if isinstance(body, dict) else "llm_as_judge"
    return str(found)


EvaluatorBody = Annotated[
    Annotated[JudgeBody, Tag("llm_as_judge")] | Annotated[CodeBody, Tag("code")], Discriminator(_type)
]


@router.post("")
async def save_evaluator(body: EvaluatorBody, evaluators: ProjectEvaluators) -> Answer[EvaluatorShape]:
    """Keep an evaluator: the next version where there is one of this name. Its rules use it from now on."""
    return answer(evaluator_shape(await evaluators.save(body.name, body.definition)))


@router.get("")
async def list_evaluators(
    asked: Annotated[Paged, Query()], evaluators: ProjectEvaluators
) -> Answer[PageOf[EvaluatorShape]]:
    """One page of the project's evaluators in their latest versions, the newest first."""
    found, total = await evaluators.page(asked.asked_page)
    return page_answer(list(map(evaluator_shape, found)), asked.asked_page, total)


@router.get("/{evaluator_id}")
async def get_evaluator(evaluator_id: Text, evaluators: ProjectEvaluators) -> Answer[EvaluatorShape]:
    """The latest version of an evaluator."""
    return answer(evaluator_shape(await evaluators.get(evaluator_id)))


@router.delete("/{evaluator_id}")
async def delete_evaluator(evaluator_id: Text, evaluators: ProjectEvaluators) -> Answer[Told]:
    """Delete an evaluator with all of its versions, and rules that have no other one; its scores stay."""
    await evaluators.delete(evaluator_id)
    return answer({"message": "Evaluator successfully deleted"})


@model_router.get("")
async def get_default_model(evaluators: ProjectEvaluators) -> Answer[DefaultModelShape]:
    """The model that judges ask whose evaluators name none; null where there is none."""
    return answer({"modelConfig": model_shape(await evaluators.default_model())})


@model_router.put("")
async def put_default_model(model: ModelChoice, evaluators: ProjectEvaluators) -> Answer[DefaultModelShape]:
    """Choose that model, of one of the project's connections."""
    await evaluators.set_default_model(model)
    return answer({"modelConfig": model_shape(model)})


@model_router.delete("")
async def delete_default_model(evaluators: ProjectEvaluators) -> Answer[Told]:
    """Have none: evaluators that name no model pause their rules."""
    await evaluators.set_default_model(None)
    return answer({"message": "Default evaluation model successfully deleted"})
