"""Media in the object store: one object for each content of a project, which clients reach by presigned URLs."""

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.media import PREFIX, MediaContent, MediaDescription
from heliograph.settings import MediaSettings, Settings
from storage.objects import connection
from storage.objects.connection import answering, status_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SERVICE = "The object store"
_TIMEOUT_SECONDS = 30
_DELETED_AT_ONCE = 1_000


class MediaObjects:
    """The files of all projects. What is not presigned is blocking: call it from a thread.

    Args:
        client: to the object store.
        signer: a client that was given the address by which clients reach the store, since it is signed as well.
        bucket: which holds everything.
        settings: for how long a URL is good, and how large a file may be.
    """

    def __init__(self, client: "S3Client", signer: "S3Client", bucket: str, *, settings: MediaSettings) -> None:
        self._client = client
        self._signer = signer
        self._bucket = bucket
        self._url_seconds = settings.url_seconds
        self.max_bytes = settings.max_bytes

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """The store of these settings."""
        client = connection.connect(settings.s3, settings.s3_url, timeout_seconds=_TIMEOUT_SECONDS)
        signer = connection.connect(settings.s3, settings.s3_public_url)
        return cls(client, signer, settings.s3.bucket, settings=settings.media)

    @property
    def public_url(self) -> str:
        """The address that its URLs begin with."""
        return self._signer.meta.endpoint_url

    def upload_url(self, project_id: ProjectId, media: MediaDescription) -> str:
        """Sign a PUT of exactly this content: of another type, length or hash it is refused."""
        conditions = {
            "ContentType": media.content_type,
            "ContentLength": media.content_length,
            "ChecksumSHA256": b64encode(media.sha256).decode(),
        }
        parameters = {**self._place(project_id, media.id), **conditions}
        return self._signer.generate_presigned_url("put_object", Params=parameters, ExpiresIn=self._url_seconds)

    def download_url(
        self, project_id: ProjectId, media: MediaDescription, seconds: int | None = None
    ) -> tuple[str, datetime]:
        """Sign a GET, good for so many seconds or as long as the settings say, and tell until when."""
        good_for = seconds or self._url_seconds
        parameters = {**self._place(project_id, media.id), "ResponseContentType": media.content_type}
        url = self._signer.generate_presigned_url("get_object", Params=parameters, ExpiresIn=good_for)
        return url, datetime.now(UTC) + timedelta(seconds=good_for)

    def put(self, project_id: ProjectId, media: MediaContent) -> None:
        """Store a content; raises Unavailable."""
        with answering(_SERVICE):
            self._client.put_object(
                Bucket=self._bucket,
                Key=_key(project_id, media.id),
                Body=media.content,
                ContentType=media.content_type,
                ChecksumSHA256=b64encode(media.sha256).decode(),
            )

    def length(self, project_id: ProjectId, media_id: str) -> int | None:
        """Tell how many bytes are stored, or None when nothing is; raises Unavailable."""
        with answering(_SERVICE):
            try:
                found = self._client.head_object(Bucket=self._bucket, Key=_key(project_id, media_id))
            except ClientError as error:
                if status_of(error) == 404:
                    return None
                raise
        return int(found["ContentLength"])

    def delete(self, media: Iterable[tuple[ProjectId, str]]) -> None:
        """Remove files, each named by project and id; one that is gone already changes nothing. Raises Unavailable."""
        keys = [_key(project_id, media_id) for project_id, media_id in media]
        with answering(_SERVICE):
            for start in range(0, len(keys), _DELETED_AT_ONCE):
                objects = [{"Key": key} for key in keys[start : start + _DELETED_AT_ONCE]]
                self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]

    def _place(self, project_id: ProjectId, media_id: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": _key(project_id, media_id)}


def _key(project_id: ProjectId, media_id: str) -> str:
    return f"{PREFIX}/{project_id}/{media_id}"
