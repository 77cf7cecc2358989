"""Files of traces and dataset items as the API shows them."""

from serve_apps.api.shapes.values import Instant, JsonShape


class UploadShape(JsonShape):
    """The id of a file, and where to upload it; null when the project has it already."""

    mediaId: str
    uploadUrl: str | None


class MediaShape(JsonShape):
    """A file, and until when its URL is good."""

    mediaId: str
    contentType: str
    contentLength: int
    url: str
    urlExpiry: Instant


class StoredMediaShape(MediaShape):
    """A file that was uploaded, and until when its URL is good."""

    uploadedAt: Instant
