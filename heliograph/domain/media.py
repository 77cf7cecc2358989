"""Media: files that traces refer to, named by the hash of their content within a project."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

# Of their keys in the bucket; clients reach what lies below it, and nothing else.
PREFIX = "media"
_ID_LENGTH = 22

_IMAGES = ("png", "jpeg", "jpg", "webp", "gif", "svg+xml", "tiff", "bmp", "avif", "heic")
_AUDIO = ("mpeg", "mp3", "wav", "ogg", "oga", "aac", "mp4", "flac", "opus", "webm")
_VIDEO = ("mp4", "webm", "ogg", "mpeg", "quicktime", "x-msvideo", "x-matroska")
_TEXT = ("plain", "html", "css", "csv", "markdown", "x-python", "x-typescript")
_OFFICE = "vnd.openxmlformats-officedocument"
_APPLICATION = (
    "javascript", "x-yaml", "pdf", "msword", "vnd.ms-excel", f"{_OFFICE}.spreadsheetml.sheet", "zip", "json", "xml",
    "octet-stream", f"{_OFFICE}.wordprocessingml.document", f"{_OFFICE}.presentationml.presentation", "rtf",
    "x-ndjson", "vnd.apache.parquet", "gzip",
)  # fmt: skip
_BY_KIND = (
    ("image", _IMAGES), ("audio", _AUDIO), ("video", _VIDEO), ("text", _TEXT), ("application", _APPLICATION),
)  # fmt: skip
# What a client may upload, by the contract.
CONTENT_TYPES = frozenset(f"{kind}/{name}" for kind, names in _BY_KIND for name in names)


class MediaField(StrEnum):
    """Where within a trace, an observation or a dataset item a file is referred to."""

    INPUT = "input"
    OUTPUT = "output"
    METADATA = "metadata"
    EXPECTED_OUTPUT = "expectedOutput"


def media_id_of(sha256: bytes) -> str:
    """The id that clients also make of the hash of a content."""
    return base64.urlsafe_b64encode(sha256).decode()[:_ID_LENGTH]


def reference(content_type: str, media_id: str, source: str) -> str:
    """The text that stands in a payload where the content was."""
    return f"@@@langfuseMedia:type={content_type}|id={media_id}|source={source}@@@"


@dataclass(frozen=True)
class MediaContent:
    """A file in memory."""

    content_type: str
    content: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> bytes:
        """The hash of the content."""
        return hashlib.sha256(self.content).digest()

    @cached_property
    def id(self) -> str:
        """The id of the content within its project."""
        return media_id_of(self.sha256)

    @property
    def described(self) -> "MediaDescription":
        """What is known of it without its content."""
        return MediaDescription(self.id, self.content_type, len(self.content), self.sha256)


@dataclass(frozen=True)
class MediaDescription:
    """What a file is: its id and hash, its type, its length in bytes."""

    id: str
    content_type: str
    content_length: int
    sha256: bytes


@dataclass(frozen=True)
class StoredMedia(MediaDescription):
    """A file that was uploaded; `uploaded_at` says when."""

    uploaded_at: datetime


@dataclass(frozen=True, slots=True, order=True)
class TraceUse:
    """A file is referred to by a trace, or by one of its observations."""

    media_id: str
    trace_id: str
    observation_id: str
    field: MediaField


@dataclass(frozen=True, slots=True, order=True)
class DatasetItemUse:
    """A file is referred to by an item of a dataset, which need not exist yet."""

    media_id: str
    dataset_id: str
    dataset_item_id: str
    field: MediaField


MediaUse = TraceUse | DatasetItemUse
