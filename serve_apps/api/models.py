"""Model definitions: the managed ones, and those of the project."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from heliograph.domain import model_rules
from heliograph.domain.errors import InvalidRequest
from ingestion.pricing import managed_prices
from serve_apps.api.answers import answer, page_answer
from serve_apps.api.dependencies import AdministratedProject, Dependencies
from serve_apps.api.parameters import Paged
from serve_apps.api.shapes.models import ModelBody, model_shape
from storage.postgres.models import Models

router = APIRouter(tags=["models"])


@router.get("/models")
async def list_models(
    asked: Annotated[Paged, Query()], principal: AdministratedProject, dependencies: Dependencies
) -> Response:
    """One page: the project's definitions, then the managed ones."""
    page = asked.asked_page
    own = await Models(dependencies.database, principal.project_id).all()
    known = [*own, *managed_prices().models]
    shown = known[page.offset : page.offset + page.size]
    return page_answer([model_shape(model) for model in shown], page, len(known))


@router.post("/models")
async def create_model(body: ModelBody, principal: AdministratedProject, dependencies: Dependencies) -> Response:
    """Create a definition of the project; events are priced by it within seconds."""
    model = body.model
    model_rules.check(model)
    return answer(model_shape(await Models(dependencies.database, principal.project_id).create(model)))


@router.get("/models/{model_id}")
async def get_model(model_id: str, principal: AdministratedProject, dependencies: Dependencies) -> Response:
    """One definition."""
    managed = managed_prices().model(model_id)
    found = managed or await Models(dependencies.database, principal.project_id).get(model_id)
    return answer(model_shape(found))


@router.delete("/models/{model_id}")
async def delete_model(model_id: str, principal: AdministratedProject, dependencies: Dependencies) -> Response:
    """Remove a definition of the project; what it priced keeps its cost."""
    if managed_prices().model(model_id) is not None:
        raise InvalidRequest("modelId", "managed models cannot be deleted: define one of your own, which comes first")
    await Models(dependencies.database, principal.project_id).delete(model_id)
    return answer({"message": "Model successfully deleted"})
