"""What happens to segments that were archived: they are freed, but for those that fencing needs."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np

from heliograph.domain import tables
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lanes import LogPosition
from storage.objects import segments
from storage.objects.connection import answering
from storage.objects.raw_log import ListedSegment, RawLog

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SERVICE = "The raw log"
_DELETED_AT_ONCE = 1_000
# Rewritten segments are young among old ones, so that a single young one tells nothing about those behind it.
_YOUNG_IN_A_ROW = 1_000


@dataclass
class Freed:
    """Objects that were removed, and those that were emptied because they must stay."""

    segments: int = 0
    emptied: int = 0
    nbytes: int = 0


class LogUpkeep:
    """Removes segments of one lane's log.

    Two objects of each epoch stay for ever: its seal, and the segment before the seal, whose PUT a former owner that
    wakes up may repeat. If that number were free, the old owner would take it again and acknowledge what nobody merges.
    So does the last segment of an open epoch, whose owner may still be repeating its PUT.
    """

    def __init__(self, client: "S3Client", bucket: str, lane: LaneNumber) -> None:
        self._client = client
        self._bucket = bucket
        self._lane = lane
        self._log = RawLog(client, bucket, lane)
        self._nothing = segments.encode(tables.RECORDS.empty_table())

    def free(self, through: int, written_before: datetime) -> Freed:
        """Remove the segments up to a number that were written before a time."""
        freed = Freed()
        doomed: list[LogPosition] = []
        for listed, is_before_seal in self._removable(through, written_before):
            freed.nbytes += listed.size
            if is_before_seal:
                self._replace(listed.position, self._nothing)
                freed.emptied += 1
                continue
            doomed.append(listed.position)
            if len(doomed) == _DELETED_AT_ONCE:
                self._delete(doomed)
                freed.segments += len(doomed)
                doomed = []
        self._delete(doomed)
        freed.segments += len(doomed)
        return freed

    def empty(self, position: LogPosition, places: np.ndarray) -> bool:
        """Leave nothing at these ordinals of a segment; whether they were still there."""
        found = self._log.stored(position)
        records = segments.decode(found) if found else tables.RECORDS.empty_table()
        places = places[places < records.num_rows]
        if not len(places):
            return False
        self._replace(position, segments.encode(segments.emptied(records, places)))
        return True

    def _removable(self, through: int, written_before: datetime) -> Iterator[tuple[ListedSegment, bool]]:
        young = 0
        for listed, behind in pairwise(chain(self._log.segments_after(None), [None])):
            assert listed is not None
            if listed.position.segment > through or young == _YOUNG_IN_A_ROW:
                return
            is_last = behind is None or behind.position.epoch != listed.position.epoch
            if listed.is_seal or is_last or listed.size <= len(self._nothing):
                continue
            if listed.written_at >= written_before:
                young += 1
                continue
            young = 0
            assert behind is not None
            yield listed, behind.is_seal

    def _delete(self, positions: list[LogPosition]) -> None:
        if positions:
            objects = [{"Key": segments.key(self._lane, position)} for position in positions]
            with answering(_SERVICE):
                self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]

    def _replace(self, position: LogPosition, data: bytes) -> None:
        """Put other bytes under the nonce of the old ones: their writer must still know its own object."""
        key = segments.key(self._lane, position)
        with answering(_SERVICE):
            nonce = self._client.head_object(Bucket=self._bucket, Key=key)["Metadata"]
            self._client.put_object(Bucket=self._bucket, Key=key, Body=io.BytesIO(data), Metadata=nonce)
