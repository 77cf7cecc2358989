"""Model definitions: the managed ones, and those of the project."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from pydantic import Field

from heliograph.domain import model_rules
from heliograph.domain.errors import InvalidRequest
from ingestion.pricing import managed_prices
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import AdministratedProject, Dependencies
from serve_apps.api.parameters import Paged, Text
from serve_apps.api.shapes.lists import PageOf, Told
from serve_apps.api.shapes.models import ModelBody, ModelShape, model_shape
from storage.postgres.models import Models

router = APIRouter(tags=["models"])

_FIRST_WITH_CALL_CONDITIONS = 4
ModelId = Annotated[Text, Field(max_length=255)]


async def _knows_call_conditions(
    x_langfuse_sdk_name: Annotated[str, Header(include_in_schema=False)] = "",
    x_langfuse_sdk_version: Annotated[str, Header(include_in_schema=False)] = "",
) -> bool:
    """Whether the client can read tiers with conditions on the call: older Python SDKs refuse the whole answer."""
    major = x_langfuse_sdk_version.partition(".")[0]
    return x_langfuse_sdk_name != "python" or not major.isdecimal() or int(major) >= _FIRST_WITH_CALL_CONDITIONS


KnowsCallConditions = Annotated[bool, Depends(_knows_call_conditions)]


@router.get("/models")
async def list_models(
    asked: Annotated[Paged, Query()],
    principal: AdministratedProject,
    *,
    dependencies: Dependencies,
    with_call_conditions: KnowsCallConditions,
) -> Answer[PageOf[ModelShape]]:
    """One page: the project's definitions, then the managed ones."""
    page = asked.asked_page
    own = await Models(dependencies.database, principal.project_id).all()
    known = [*own, *managed_prices().models]
    shown = known[page.offset : page.offset + page.size]
    shapes = [model_shape(model, with_call_conditions=with_call_conditions) for model in shown]
    return page_answer(shapes, page, len(known))


@router.post("/models")
async def create_model(
    body: ModelBody, principal: AdministratedProject, dependencies: Dependencies
) -> Answer[ModelShape]:
    """Create a definition of the project; events are priced by it within seconds."""
    model = body.model
    model_rules.check(model)
    return answer(model_shape(await Models(dependencies.database, principal.project_id).create(model)))


@router.get("/models/{model_id}")
async def get_model(
    model_id: ModelId,
    principal: AdministratedProject,
    *,
    dependencies: Dependencies,
    with_call_conditions: KnowsCallConditions,
) -> Answer[ModelShape]:
    """One definition."""
    managed = managed_prices().model(model_id)
    found = managed or await Models(dependencies.database, principal.project_id).get(model_id)
    return answer(model_shape(found, with_call_conditions=with_call_conditions))


@router.put("/models/{model_id}")
async def put_model(
    model_id: ModelId, body: ModelBody, principal: AdministratedProject, *, dependencies: Dependencies
) -> Answer[ModelShape]:
    """Create a definition of the project under this id, or replace the one that has it."""
    _require_own(model_id, "changed")
    model = replace(body.model, id=model_id)
    model_rules.check(model)
    return answer(model_shape(await Models(dependencies.database, principal.project_id).put(model)))


@router.delete("/models/{model_id}")
async def delete_model(model_id: ModelId, principal: AdministratedProject, dependencies: Dependencies) -> Answer[Told]:
    """Remove a definition of the project; what it priced keeps its cost."""
    _require_own(model_id, "deleted")
    await Models(dependencies.database, principal.project_id).delete(model_id)
    return answer({"message": "Model successfully deleted"})


def _require_own(model_id: str, done: str) -> None:
    if managed_prices().model(model_id) is not None:
        raise InvalidRequest("modelId", f"managed models cannot be {done}: define one of your own, which comes first")
