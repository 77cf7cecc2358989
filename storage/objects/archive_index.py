"""What the archive took from the log of one lane: which segments, and how many records of which project and day."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from heliograph.domain import tables
from heliograph.domain.identifiers import LaneNumber
from storage.objects.connection import answering

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SERVICE = "The archive's index"


class ArchiveIndex:
    """One object for each range that was archived: `raw-index/{lane}/{last}-{first}.parquet`.

    The key begins with the range's end, so that a listing may begin behind any segment.
    """

    def __init__(self, client: "S3Client", bucket: str, lane: LaneNumber) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"raw-index/{lane}/"

    def write(self, first: int, last: int, entries: pa.Table) -> None:
        """Record a range, as `tables.ARCHIVE_INDEX`; a repetition replaces it."""
        sink = io.BytesIO()
        pq.write_table(entries.cast(tables.ARCHIVE_INDEX), sink, compression="zstd")
        with answering(_SERVICE):
            key = f"{self._prefix}{last:012d}-{first:012d}.parquet"
            self._client.put_object(Bucket=self._bucket, Key=key, Body=sink.getvalue())

    def after(self, segment: int) -> Iterator[pa.Table]:
        """The entries of every segment behind this one, range by range, in order."""
        start = f"{self._prefix}{segment:012d}~"
        pages = self._client.get_paginator("list_objects_v2")
        with answering(_SERVICE):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix, StartAfter=start):
                for entry in page.get("Contents", []):
                    yield self._behind(segment, entry["Key"])

    def _behind(self, segment: int, key: str) -> pa.Table:
        body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        entries = pq.read_table(pa.BufferReader(body), use_threads=False).cast(tables.ARCHIVE_INDEX)
        return entries.filter(pc.greater(entries["segment"], segment))
