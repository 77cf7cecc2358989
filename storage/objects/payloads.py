"""The whole of payloads that are too large for their rows: one object for each content of a trace."""

import re
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError

from heliograph.domain.errors import Unavailable
from heliograph.domain.lanes import Share
from heliograph.domain.oversized import Oversized
from storage.objects.connection import RETRY_AFTER_SECONDS, answering, status_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PREFIX = "payloads/"
_SERVICE = "The object store"
_DELETED_AT_ONCE = 1_000
_NOT_FOUND = 404
# Any other trace id is known by its hash.
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NAME = re.compile(r"(?P<owner>(?P<crc>[0-9a-f]{8})-(?P<trace>[^/]+))/(?P<digest>[0-9a-f]{64})\.zst")


class PayloadKey(NamedTuple):
    """Names an object within its project: the trace that owns it, as in the key, and the digest of its content."""

    owner: str
    digest: str

    def is_in(self, share: Share) -> bool:
        """Whether its trace belongs to a lane's share."""
        return int(self.owner[:8], 16) % share.modulus == share.remainder


def owner_of(trace_id: str) -> str:
    """How the key names a trace: behind the hash that tells its lane."""
    name = trace_id if _PLAIN_ID.fullmatch(trace_id) else "~" + sha256(trace_id.encode()).hexdigest()[:32]
    return f"{zlib.crc32(trace_id.encode()):08x}-{name}"


class PayloadObjects:
    """Writes, reads and deletes. Blocking; every method may raise Unavailable and may be repeated.

    A key is `payloads/{project}/{hash of the trace id}-{trace id}/{digest}.zst`: what a trace owns is under one prefix,
    no trace shares an object with another, and repeating a write changes nothing.
    """

    def __init__(self, client: "S3Client", bucket: str, pool: Executor) -> None:
        self._client = client
        self._bucket = bucket
        self._pool = pool

    def put(self, payloads: Sequence[Oversized]) -> None:
        """Return when all are durable."""
        list(self._pool.map(self._put, payloads))

    def read(self, project_id: str, trace_id: str, digest: str) -> str | None:
        """The content; None when there is no such object."""
        key = _key(project_id, PayloadKey(owner_of(trace_id), digest))
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if status_of(error) == _NOT_FOUND:
                return None
            raise Unavailable(_SERVICE, RETRY_AFTER_SECONDS) from error
        except BotoCoreError as error:
            raise Unavailable(_SERVICE, RETRY_AFTER_SECONDS) from error
        with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
            return bytes(stream.read()).decode()

    def of_project(self, project_id: str) -> Iterator[PayloadKey]:
        """Every object of a project."""
        return self._listed(project_id, "")

    def of_traces(self, project_id: str, trace_ids: Sequence[str]) -> dict[str, list[PayloadKey]]:
        """The objects of those of the traces that have any; one request where the whole project has none."""
        if next(self._listed(project_id, "", page_size=1), None) is None:
            return {}
        found = self._pool.map(lambda trace_id: list(self._listed(project_id, f"{owner_of(trace_id)}/")), trace_ids)
        return {trace_id: keys for trace_id, keys in zip(trace_ids, found, strict=True) if keys}

    def delete(self, project_id: str, keys: Sequence[PayloadKey]) -> None:
        """Remove objects; one that is gone already changes nothing."""
        with answering(_SERVICE):
            for start in range(0, len(keys), _DELETED_AT_ONCE):
                objects = [{"Key": _key(project_id, key)} for key in keys[start : start + _DELETED_AT_ONCE]]
                self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]

    def _put(self, payload: Oversized) -> None:
        key = _key(payload.project_id, PayloadKey(owner_of(payload.trace_id), payload.digest))
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(payload.content)
        with answering(_SERVICE):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=sink.getvalue().to_pybytes())

    def _listed(self, project_id: str, owner: str, page_size: int = 1_000) -> Iterator[PayloadKey]:
        prefix = _folder(project_id)
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix + owner, PaginationConfig={"PageSize": page_size}
        )
        with answering(_SERVICE):
            for page in pages:
                for entry in page.get("Contents", []):
                    named = _NAME.fullmatch(entry["Key"].removeprefix(prefix))
                    if named is not None:
                        yield PayloadKey(named["owner"], named["digest"])


def _folder(project_id: str) -> str:
    return f"{_PREFIX}{quote(project_id, safe='')}/"


def _key(project_id: str, key: PayloadKey) -> str:
    return f"{_folder(project_id)}{key.owner}/{key.digest}.zst"
