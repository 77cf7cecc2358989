"""Exports in the object store: files that clients fetch by presigned URLs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.media import PREFIX
from heliograph.settings import Settings
from storage.objects import connection
from storage.objects.connection import answering

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SERVICE = "The object store"
_TIMEOUT_SECONDS = 60
_URL_SECONDS = 3_600


class ExportObjects:
    """The files of all exports. What is not presigned is blocking: call it from a thread.

    Args:
        client: to the object store.
        signer: a client that was given the address by which clients reach the store, since it is signed as well.
        bucket: which holds everything.
    """

    def __init__(self, client: "S3Client", signer: "S3Client", bucket: str) -> None:
        self._client = client
        self._signer = signer
        self._bucket = bucket

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """The store of these settings."""
        client = connection.connect(settings.s3, settings.s3_url, timeout_seconds=_TIMEOUT_SECONDS)
        return cls(client, connection.connect(settings.s3, settings.s3_public_url), settings.s3.bucket)

    def put(self, project_id: ProjectId, export_id: str, *, name: str, content: Path) -> None:
        """Store a file, in place of an earlier one of this name; raises Unavailable."""
        with answering(_SERVICE):
            self._client.upload_file(str(content), self._bucket, _key(project_id, export_id, name))

    def put_text(self, project_id: ProjectId, export_id: str, *, name: str, text: str) -> None:
        """Store a small file; raises Unavailable."""
        with answering(_SERVICE):
            key = _key(project_id, export_id, name)
            self._client.put_object(Bucket=self._bucket, Key=key, Body=text.encode(), ContentType="application/json")

    def delete(self, project_id: ProjectId, export_id: str) -> None:
        """Remove every file of an export; raises Unavailable."""
        with answering(_SERVICE):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=_key(project_id, export_id, "")
            )
            for page in pages:
                if found := [{"Key": one["Key"]} for one in page.get("Contents", ())]:
                    self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": found, "Quiet": True})  # type: ignore[typeddict-item]

    def url(self, project_id: ProjectId, export_id: str, name: str) -> tuple[str, datetime]:
        """Sign a GET, and tell until when it is good."""
        parameters = {"Bucket": self._bucket, "Key": _key(project_id, export_id, name)}
        expires_at = datetime.now(UTC) + timedelta(seconds=_URL_SECONDS)
        return self._signer.generate_presigned_url("get_object", Params=parameters, ExpiresIn=_URL_SECONDS), expires_at


def _key(project_id: ProjectId, export_id: str, name: str) -> str:
    # Below the path of media: the front end leads there, and nowhere else in an embedded store.
    return f"{PREFIX}/{project_id}/exports/{export_id}/{name}"
