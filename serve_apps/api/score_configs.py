"""Score configs: what scores are called, and which values they may have."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Paged, Text
from serve_apps.api.shapes.lists import PageOf
from serve_apps.api.shapes.score_configs import ScoreConfigBody, ScoreConfigChanges, ScoreConfigShape, config_shape
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.score_configs import ScoreConfigs

router = APIRouter(tags=["score-configs"])


async def _configs(dependencies: Dependencies, principal: ProjectPrincipal) -> ScoreConfigs:
    return ScoreConfigs(dependencies.database, principal.project_id)


ProjectScoreConfigs = Annotated[ScoreConfigs, Depends(_configs)]


@router.get("/score-configs")
async def list_score_configs(
    asked: Annotated[Paged, Query()], configs: ProjectScoreConfigs
) -> Answer[PageOf[ScoreConfigShape]]:
    """One page of the project's configs, the newest first; archived ones too."""
    found, total = await configs.page(asked.asked_page)
    return page_answer(list(map(config_shape, found)), asked.asked_page, total)


@router.post("/score-configs")
async def create_score_config(body: ScoreConfigBody, configs: ProjectScoreConfigs) -> Answer[ScoreConfigShape]:
    """Create a config; scores may name it from now on."""
    return answer(config_shape(await configs.create(body.config)))


@router.get("/score-configs/{config_id}")
async def get_score_config(config_id: Text, configs: ProjectScoreConfigs) -> Answer[ScoreConfigShape]:
    """One config."""
    return answer(config_shape(await configs.get(config_id)))


@router.patch("/score-configs/{config_id}")
async def change_score_config(
    config_id: Text, body: ScoreConfigChanges, configs: ProjectScoreConfigs
) -> Answer[ScoreConfigShape]:
    """Change a config, or archive it, after which no score may name it; scores that did stay as they are."""
    return answer(config_shape(await configs.change(config_id, **body.changes)))
