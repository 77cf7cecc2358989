"""Recosts: stored calls priced anew, which the stack carries out once they are asked for."""

from fastapi import APIRouter, Response

from heliograph.domain.backfills import BackfillKind
from serve_apps.api.answers import answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.shapes.backfills import RecostBody, backfill_shape, recost_shape
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.backfills import Backfills, ProjectBackfills

router = APIRouter(tags=["recosts"])


@router.post("/recosts")
async def begin_recost(body: RecostBody, principal: ProjectPrincipal, dependencies: Dependencies) -> Response:
    """Ask for a recost; one of just this that has not ended is answered as it is."""
    own = ProjectBackfills(dependencies.database, principal.project_id)
    begun = await own.begin(BackfillKind.RECOST, body.asked.to_json(), is_trial=body.dry_run)
    return answer(recost_shape(begun, await Backfills(dependencies.database).reports(begun.id)))


@router.get("/recosts")
async def list_recosts(principal: ProjectPrincipal, dependencies: Dependencies) -> Response:
    """The newest recosts, without their figures."""
    own = ProjectBackfills(dependencies.database, principal.project_id)
    return answer({"data": [backfill_shape(one, {}) for one in await own.newest(BackfillKind.RECOST)]})


@router.get("/recosts/{recost_id}")
async def get_recost(recost_id: str, principal: ProjectPrincipal, dependencies: Dependencies) -> Response:
    """How far a recost has come, and the costs before and after by model."""
    own = ProjectBackfills(dependencies.database, principal.project_id)
    found = await own.get(BackfillKind.RECOST, recost_id)
    return answer(recost_shape(found, await Backfills(dependencies.database).reports(found.id)))
