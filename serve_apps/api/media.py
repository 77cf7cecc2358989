"""Media: uploads and downloads go between client and object store, by URLs that are signed here."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.media import (
    CONTENT_TYPES,
    DatasetItemUse,
    MediaDescription,
    MediaField,
    MediaUse,
    TraceUse,
    media_id_of,
)
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import ProjectMediaFiles
from serve_apps.api.parameters import Parameters
from serve_apps.api.shapes.lists import Nothing
from serve_apps.api.shapes.media import StoredMediaShape, UploadShape
from serve_apps.api.shapes.values import iso

router = APIRouter(tags=["media"])

_HASH_BYTES = 32
_SUCCESSES = (200, 201)
_Id = Annotated[str, Field(min_length=1, max_length=800, pattern=r"^[^\x00]+$")]


class Upload(Parameters):
    """A file that a client wants to upload, and what refers to it."""

    trace_id: _Id | None = None
    observation_id: _Id | None = None
    dataset_id: _Id | None = None
    dataset_item_id: _Id | None = None
    field: MediaField
    content_type: str
    content_length: Annotated[int, Field(ge=1)]
    sha256_hash: Annotated[str, Field(min_length=44, max_length=44)]

    def described(self, max_bytes: int) -> MediaDescription:
        """The file; raises InvalidRequest."""
        if self.content_type not in CONTENT_TYPES:
            raise InvalidRequest("contentType", f"{self.content_type[:100]!r} is not one of those that are stored")
        if self.content_length > max_bytes:
            raise InvalidRequest("contentLength", f"is more than the {max_bytes} bytes that a file may have")
        try:
            sha256 = base64.b64decode(self.sha256_hash, validate=True)
        except binascii.Error:
            sha256 = b""
        if len(sha256) != _HASH_BYTES:
            raise InvalidRequest("sha256Hash", "is not a SHA-256 hash in base64")
        return MediaDescription(media_id_of(sha256), self.content_type, self.content_length, sha256)

    def use(self, media_id: str) -> MediaUse:
        """What refers to the file; raises InvalidRequest."""
        if self.trace_id and not self.dataset_id and not self.dataset_item_id:
            if self.field is not MediaField.EXPECTED_OUTPUT:
                return TraceUse(media_id, self.trace_id, self.observation_id or "", self.field)
            raise InvalidRequest("field", "of a trace must be input, output or metadata")
        if self.dataset_id and self.dataset_item_id and not self.trace_id and not self.observation_id:
            if self.field is not MediaField.OUTPUT:
                return DatasetItemUse(media_id, self.dataset_id, self.dataset_item_id, self.field)
            raise InvalidRequest("field", "of a dataset item must be input, expectedOutput or metadata")
        raise InvalidRequest("traceId", "give either a traceId, or a datasetId and a datasetItemId")


class Uploaded(Parameters):
    """How an upload ended."""

    uploaded_at: datetime
    upload_http_status: Annotated[int, Field(ge=100, le=599)]
    upload_http_error: Annotated[str, Field(max_length=10_000)] | None = None


@router.post("/media", status_code=201)
async def create_upload(upload: Upload, files: ProjectMediaFiles) -> Answer[UploadShape]:
    """The file's id, and where to upload it: nowhere, when the project has it already."""
    media = upload.described(files.max_bytes)
    missing = await files.known.refer([media], [upload.use(media.id)])
    if not missing and (await files.known.described(media.id)).content_type == media.content_type:
        return answer({"mediaId": media.id, "uploadUrl": None}, 201)
    await files.known.note_type(media)
    return answer({"mediaId": media.id, "uploadUrl": files.upload_url(media)}, 201)


@router.patch("/media/{media_id}")
async def note_upload(media_id: str, uploaded: Uploaded, files: ProjectMediaFiles) -> Answer[Nothing]:
    """Note how an upload ended; what is said to be there is looked for."""
    status = uploaded.upload_http_status
    if status in _SUCCESSES:
        media = await files.known.described(media_id)
        if not await files.is_uploaded(media):
            reason = "nothing of the announced length was uploaded"
            raise InvalidRequest("uploadHttpStatus", reason)
    sent = uploaded.uploaded_at
    uploaded_at = sent if sent.tzinfo else sent.replace(tzinfo=UTC)
    error = (uploaded.upload_http_error or "").replace("\0", "") or None
    await files.known.note_upload([media_id], status, uploaded_at=uploaded_at, error=error)
    return answer({})


@router.get("/media/{media_id}")
async def get_media(media_id: str, files: ProjectMediaFiles) -> Answer[StoredMediaShape]:
    """What a file is, and where to download it."""
    media = await files.known.get(media_id)
    url, expires_at = files.download_url(media)
    return answer(
        {
            "mediaId": media.id,
            "contentType": media.content_type,
            "contentLength": media.content_length,
            "uploadedAt": iso(media.uploaded_at),
            "url": url,
            "urlExpiry": iso(expires_at),
        }
    )
