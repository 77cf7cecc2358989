"""Blob storage integrations: rows of a project written to a bucket of its owner's, period by period."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends

from heliograph.domain.errors import InvalidRequest
from heliograph.outbound import CallFailed
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.blob_storage import (
    BlobStorageBody,
    BlobStorageShape,
    SyncShape,
    blob_storage_shape,
    sync_shape,
)
from serve_apps.api.shapes.lists import ListOf, Told
from serve_apps.authentication import OrganizationPrincipal
from storage.postgres.blob_storage import BlobStorageIntegrations

router = APIRouter(prefix="/integrations/blob-storage", tags=["blob-storage"])


async def _integrations(dependencies: Dependencies, principal: OrganizationPrincipal) -> BlobStorageIntegrations:
    return BlobStorageIntegrations(dependencies.database, principal.organization_id, dependencies.administration.seal)


Integrations = Annotated[BlobStorageIntegrations, Depends(_integrations)]


@router.get("")
async def list_blob_storage_integrations(integrations: Integrations) -> Answer[ListOf[BlobStorageShape]]:
    """Those of all projects of the organization, oldest first."""
    return answer({"data": [blob_storage_shape(one) for one in await integrations.all()]})


@router.put("")
async def put_blob_storage_integration(
    body: BlobStorageBody, integrations: Integrations, dependencies: Dependencies
) -> Answer[BlobStorageShape]:
    """Keep an integration, in place of the project's earlier one; a secret that is absent stays."""
    if body.endpoint:
        try:
            await dependencies.administration.outbound.check(body.endpoint)
        except (CallFailed, ValueError) as error:
            raise InvalidRequest("endpoint", str(error)) from None
    return answer(blob_storage_shape(await integrations.put(body.integration)))


@router.get("/{integration_id}")
async def get_blob_storage_status(integration_id: Text, integrations: Integrations) -> Answer[SyncShape]:
    """How far the rows are written, and what went wrong last."""
    return answer(sync_shape(await integrations.get(integration_id), datetime.now(UTC)))


@router.delete("/{integration_id}")
async def delete_blob_storage_integration(integration_id: Text, integrations: Integrations) -> Answer[Told]:
    """Remove an integration; the files in the bucket stay."""
    await integrations.delete(integration_id)
    return answer({"message": "Blob storage integration successfully deleted"})
