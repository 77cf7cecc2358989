"""The raw log of one lane in the object store: numbered segments, conditional writes, seals that fence old owners."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError

from heliograph.domain import tables
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lane_errors import LaneFenced, SegmentMissing
from heliograph.domain.lanes import LogPosition
from storage.objects import segments
from storage.objects.archive import NEVER
from storage.objects.archived_lane import ArchivedLane
from storage.objects.connection import RETRY_AFTER_SECONDS, status_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONFLICT = 409
_PRECONDITION_FAILED = 412
_NOT_FOUND = 404
_MAX_ATTEMPTS = 3


class Written(Enum):
    """What became of a conditional write."""

    OURS = "ours"
    OURS_EARLIER = "ours earlier"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class ListedSegment:
    """An object of the log. A seal is empty and ends its epoch."""

    position: LogPosition
    size: int
    written_at: datetime = NEVER

    @property
    def is_seal(self) -> bool:
        """Whether this object closes its epoch instead of holding records."""
        return self.size == 0


class RawLog:
    """The log of one lane as one owner sees it.

    A key is `wal/{lane}/{epoch}/{segment}.parquet`, padded so that keys sort by position; segment numbers go on across
    epochs. Every object carries a nonce of its writer, so that a writer whose answer was lost can tell its own object
    from another's.
    """

    def __init__(self, client: "S3Client", bucket: str, lane: LaneNumber) -> None:
        self._client = client
        self._bucket = bucket
        self._lane = lane
        self._writer = uuid.uuid4().hex
        self._attempt = 0
        self._archived = ArchivedLane(client, bucket, lane)
        # Up to here a replay reads from the archive, whatever is left in the log.
        self._archived_through = 0

    def new_nonce(self) -> str:
        """A nonce for one segment's bytes. A retry of the same bytes keeps it; other bytes need another."""
        self._attempt += 1
        return f"{self._writer}-{self._attempt}"

    def write(self, position: LogPosition, data: bytes, nonce: str) -> Written:
        """Write a segment if its number is free, and find out what happened when the answer was lost.

        OURS_EARLIER means that other bytes of this writer, given up after a time-out, have landed there after all.

        Raises:
            Unavailable: the store did not answer; the segment may or may not land later.
        """
        for _ in range(_MAX_ATTEMPTS):
            status = self._put(position, data, nonce)
            if status is None:
                return Written.OURS
            if status == _CONFLICT:
                continue
            found = self._nonce_at(position)
            if found == nonce:
                return Written.OURS
            if found is not None:
                return Written.OURS_EARLIER if found.startswith(self._writer) else Written.FOREIGN
        raise Unavailable("The raw log", RETRY_AFTER_SECONDS)

    def segments_after(self, position: LogPosition | None) -> Iterator[ListedSegment]:
        """Every object of the lane behind a position, in order; of the whole log when there is none."""
        start = segments.key(self._lane, position) if position else ""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=segments.prefix(self._lane), StartAfter=start
        )
        try:
            for page in pages:
                for entry in page.get("Contents", []):
                    yield ListedSegment(segments.position_of(entry["Key"]), entry["Size"], entry["LastModified"])
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("The raw log", RETRY_AFTER_SECONDS) from error

    def read(self, position: LogPosition) -> pa.Table:
        """The records of a segment, as `tables.RECORDS`; no rows for a seal. What was freed comes from the archive.

        Raises:
            pa.ArrowInvalid: the bytes are damaged.
            SegmentMissing: neither the log nor the archive has the segment.
        """
        if position.segment > self._archived_through:
            body = self.stored(position)
            if body is not None:
                self._archived.forget()
                return segments.decode(body) if body else tables.RECORDS.empty_table()
        archived = self._archived.read(position.segment)
        if archived is None:
            raise SegmentMissing(int(self._lane), position.segment)
        return archived

    def stored(self, position: LogPosition) -> bytes | None:
        """The bytes of an object of the log; None when it was freed."""
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=segments.key(self._lane, position))["Body"].read()
        except ClientError as error:
            if status_of(error) == _NOT_FOUND:
                return None
            raise Unavailable("The raw log", RETRY_AFTER_SECONDS) from error
        except BotoCoreError as error:
            raise Unavailable("The raw log", RETRY_AFTER_SECONDS) from error
        return body

    def set_aside(self, position: LogPosition, reason: str) -> None:
        """Record beside the log that a segment was passed over, and why; the segment stays where it is."""
        key = f"aside/{self._lane}/{position.epoch:010d}/{position.segment:012d}.txt"
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=reason.encode())
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("The raw log", RETRY_AFTER_SECONDS) from error

    def set_aside_count(self) -> int:
        """How many segments of this lane were passed over, ever."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"aside/{self._lane}/"
        )
        try:
            return sum(page["KeyCount"] for page in pages)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("The raw log", RETRY_AFTER_SECONDS) from error

    def take_over(self, epoch: int, checkpoint: LogPosition | None) -> tuple[list[ListedSegment], int]:
        """Seal every epoch before `epoch`, so that their owners can append no more.

        Returns:
            The segments to replay, in order, and the first free segment number.

        Raises:
            LaneFenced: a newer owner has sealed this epoch already.
        """
        head = checkpoint.segment if checkpoint else 0
        found = list(self.segments_after(checkpoint))
        if any(listed.position.epoch >= epoch for listed in found):
            raise LaneFenced(int(self._lane), epoch)
        by_epoch: dict[int, list[ListedSegment]] = {}
        for listed in found:
            by_epoch.setdefault(listed.position.epoch, []).append(listed)
        for old in range(checkpoint.epoch if checkpoint else 1, epoch):
            sealed = self._sealed(old, by_epoch.get(old, []), head)
            by_epoch[old] = sealed
            head = sealed[-1].position.segment
        left = [listed for old in sorted(by_epoch) for listed in by_epoch[old] if not listed.is_seal]
        return self._with_archived(left, checkpoint.segment if checkpoint else 0), head + 1

    def _with_archived(self, left: list[ListedSegment], after: int) -> list[ListedSegment]:
        """What is to be replayed, from the archive as far as that goes: a rewound lane meets a log that was freed."""
        archived = [
            ListedSegment(position, 1) for position, is_seal in self._archived.positions_after(after) if not is_seal
        ]
        self._archived_through = archived[-1].position.segment if archived else 0
        return [*archived, *(listed for listed in left if listed.position.segment > self._archived_through)]

    def _sealed(self, epoch: int, known: list[ListedSegment], head: int) -> list[ListedSegment]:
        objects = list(known)
        while not (objects and objects[-1].is_seal):
            number = (objects[-1].position.segment if objects else head) + 1
            seal = LogPosition(epoch, number)
            self.write(seal, b"", self.new_nonce())
            objects.append(ListedSegment(seal, self._size(seal)))
        return objects

    def _put(self, position: LogPosition, data: bytes, nonce: str) -> int | None:
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=segments.key(self._lane, position),
                Body=data,
                IfNoneMatch="*",
                Metadata={segments.NONCE: nonce},
            )
        except ClientError as error:
            return status_of(error)
        except BotoCoreError:
            return 0
        return None

    def _nonce_at(self, position: LogPosition) -> str | None:
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=segments.key(self._lane, position))
        except ClientError as error:
            if status_of(error) == _NOT_FOUND:
                return None
            raise Unavailable("The raw log", RETRY_AFTER_SECONDS) from error
        except BotoCoreError as error:
            raise Unavailable("The raw log", RETRY_AFTER_SECONDS) from error
        return head["Metadata"].get(segments.NONCE, "")

    def _size(self, position: LogPosition) -> int:
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=segments.key(self._lane, position))
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("The raw log", RETRY_AFTER_SECONDS) from error
        return int(head["ContentLength"])
