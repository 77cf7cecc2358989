"""Recosts: stored calls priced anew, which the stack carries out once they are asked for."""

from fastapi import APIRouter

from heliograph.domain.backfills import BackfillKind
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import OwnBackfills
from serve_apps.api.shapes.backfills import BackfillShape, RecostBody, RecostShape, backfill_shape, recost_shape
from serve_apps.api.shapes.lists import ListOf

router = APIRouter(tags=["recosts"])


@router.post("/recosts")
async def begin_recost(body: RecostBody, own: OwnBackfills) -> Answer[RecostShape]:
    """Ask for a recost; one of just this that has not ended is answered as it is."""
    begun = await own.begin(BackfillKind.RECOST, body.asked.to_json(), is_trial=body.dry_run)
    return answer(recost_shape(begun, await own.reports(begun)))


@router.get("/recosts")
async def list_recosts(own: OwnBackfills) -> Answer[ListOf[BackfillShape]]:
    """The newest recosts, without their figures."""
    return answer({"data": [backfill_shape(one, {}) for one in await own.newest(BackfillKind.RECOST)]})


@router.get("/recosts/{recost_id}")
async def get_recost(recost_id: str, own: OwnBackfills) -> Answer[RecostShape]:
    """How far a recost has come, and the costs before and after by model."""
    found = await own.get(BackfillKind.RECOST, recost_id)
    return answer(recost_shape(found, await own.reports(found)))
