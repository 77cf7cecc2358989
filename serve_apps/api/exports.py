"""Exports: rows as files in the object store, which the stack writes once they are asked for."""

from fastapi import APIRouter

from heliograph.domain.backfills import BackfillKind
from heliograph.domain.exports import ExportRequest
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies, OwnBackfills
from serve_apps.api.shapes.backfills import BackfillShape, ExportShape, LinkShape, backfill_shape, export_shape
from serve_apps.api.shapes.lists import ListOf
from serve_apps.api.shapes.values import iso
from serve_apps.authentication import ProjectPrincipal
from storage.clickhouse.selections import selection_query

router = APIRouter(tags=["exports"])


@router.post("/exports")
async def begin_export(body: ExportRequest, principal: ProjectPrincipal, own: OwnBackfills) -> Answer[BackfillShape]:
    """Ask for an export; one of just this that has not ended is answered as it is."""
    # What cannot be asked is refused here, not where nobody waits for it.
    selection_query(body.table, body, principal.project_id)
    begun = await own.begin(BackfillKind.EXPORT, body.model_dump(mode="json"), is_trial=False)
    return answer(backfill_shape(begun, await own.reports(begun)))


@router.get("/exports")
async def list_exports(own: OwnBackfills) -> Answer[ListOf[BackfillShape]]:
    """The newest exports, without their files."""
    return answer({"data": [backfill_shape(one, {}) for one in await own.newest(BackfillKind.EXPORT)]})


@router.get("/exports/{export_id}")
async def get_export(
    export_id: str, *, principal: ProjectPrincipal, own: OwnBackfills, dependencies: Dependencies
) -> Answer[ExportShape]:
    """How far an export has come, and what it holds: each file with a URL that is good for an hour."""
    found = await own.get(BackfillKind.EXPORT, export_id)
    reports = await own.reports(found)

    def link(name: str) -> LinkShape:
        url, expires_at = dependencies.exports.url(principal.project_id, found.id, name)
        return {"url": url, "urlExpiry": iso(expires_at)}

    return answer(export_shape(found, reports, link))
