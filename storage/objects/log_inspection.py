"""Verifies one lane's log: numbers without holes, epochs with seals, segments that can be read and came once."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain.events import RecordKind
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lanes import LogPosition
from storage.objects import segments
from storage.objects.raw_log import ListedSegment, RawLog

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READERS = 8
_READ_AT_ONCE = 64


class FaultKind(StrEnum):
    """What can be wrong with a log or an archive."""

    HOLE = "hole"
    LOST = "lost"
    NUMBER_TWICE = "number twice"
    OUT_OF_ORDER = "out of order"
    NO_SEAL = "no seal"
    BEHIND_SEAL = "behind the seal"
    FENCE_FREED = "fence freed"
    UNREADABLE = "unreadable"
    NONCE_TWICE = "nonce twice"
    COUNT_DIFFERS = "count differs"
    ARCHIVE_UNREADABLE = "archive unreadable"
    ARCHIVE_OVERLAP = "archive overlap"
    ARCHIVED_TWICE = "archived twice"
    ARCHIVE_LACKS = "archive lacks"
    ARCHIVE_SURPLUS = "archive surplus"
    DAMAGED_KEPT = "damaged kept"


class Fault(NamedTuple):
    """One thing that is wrong, and where."""

    kind: FaultKind
    where: str


@dataclass
class LogInspection:
    """What was looked at, and what is wrong with it."""

    objects: int = 0
    nbytes: int = 0
    epochs: int = 0
    records: int = 0
    head: int = 0
    faults: list[Fault] = field(default_factory=list)


class LogInspector:
    """Inspects the objects of one lane.

    Args:
        archived: epoch of every segment that the archive's index has.
        counts: how many records the archive took of each of these segments.
    """

    def __init__(
        self, client: "S3Client", bucket: str, lane: LaneNumber, *, archived: dict[int, int], counts: dict[int, int]
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._lane = lane
        self._archived = archived
        self._counts = counts
        self._nonces: dict[str, LogPosition] = {}

    def inspect(self, epoch: int, cursor: int, on_progress: Callable[[int, int], None]) -> LogInspection:
        """Look at everything up to the head of now, for an owner of this epoch and an archive up to the cursor."""
        listed = list(RawLog(self._client, self._bucket, self._lane).segments_after(None))
        done = LogInspection(len(listed), sum(one.size for one in listed))
        done.epochs = len({one.position.epoch for one in listed})
        done.head = max([one.position.segment for one in listed] + list(self._archived), default=0)
        done.faults += self._numbers(listed, done.head, cursor)
        done.faults += self._seals(listed, epoch)
        for start in range(0, len(listed), _READ_AT_ONCE):
            part = [one for one in listed[start : start + _READ_AT_ONCE] if not one.is_seal]
            with ThreadPoolExecutor(_READERS) as readers:
                for one, (nonce, records) in zip(part, readers.map(self._read, part), strict=True):
                    done.faults += self._contents(one, nonce, records)
                    done.records += max(records, 0)
            on_progress(min(start + _READ_AT_ONCE, len(listed)), len(listed))
        return done

    def _numbers(self, listed: Sequence[ListedSegment], head: int, cursor: int) -> Iterator[Fault]:
        epochs: dict[int, int] = {}
        for one, behind in pairwise([*listed, None]):
            assert one is not None
            number, epoch = one.position.segment, one.position.epoch
            known = epochs.setdefault(number, self._archived.get(number, epoch))
            if known != epoch:
                yield Fault(FaultKind.NUMBER_TWICE, f"segment {number} in epochs {known} and {epoch}")
            elif behind is not None and behind.position.segment <= number and behind.position.epoch != epoch:
                where = f"epoch {behind.position.epoch} begins at {behind.position.segment}, not behind {number}"
                yield Fault(FaultKind.OUT_OF_ORDER, where)
        is_known = np.zeros(head + 1, dtype=bool)
        is_known[[0, *epochs, *self._archived]] = True
        for first, last in _ranges(np.flatnonzero(~is_known)):
            yield Fault(FaultKind.LOST if last <= cursor else FaultKind.HOLE, _span(first, last))

    def _seals(self, listed: Sequence[ListedSegment], newest: int) -> Iterator[Fault]:
        by_epoch = {epoch: list(group) for epoch, group in groupby(listed, key=lambda one: one.position.epoch)}
        for epoch in range(1, newest):
            objects = by_epoch.get(epoch, [])
            seals = [place for place, one in enumerate(objects) if one.is_seal]
            if not seals:
                yield Fault(FaultKind.NO_SEAL, f"epoch {epoch}")
                continue
            for one in objects[seals[0] + 1 :]:
                yield Fault(FaultKind.BEHIND_SEAL, f"segment {one.position.segment} of epoch {epoch}")
            before = objects[seals[0]].position.segment - 1
            is_there = seals[0] > 0 and objects[seals[0] - 1].position.segment == before
            if self._archived.get(before) == epoch and not is_there:
                yield Fault(FaultKind.FENCE_FREED, f"segment {before} of epoch {epoch}")

    def _read(self, listed: ListedSegment) -> tuple[str, int]:
        """The nonce of a segment and how many records are left in it; -1 for one that cannot be read."""
        found = self._client.get_object(Bucket=self._bucket, Key=segments.key(self._lane, listed.position))
        nonce = found["Metadata"].get(segments.NONCE, "")
        try:
            records = segments.decode(found["Body"].read())
        except pa.ArrowException:
            return nonce, -1
        return nonce, int(pc.sum(pc.not_equal(records["kind"], RecordKind.OMITTED.value)).as_py() or 0)

    def _contents(self, listed: ListedSegment, nonce: str, records: int) -> Iterator[Fault]:
        position = listed.position
        earlier = self._nonces.setdefault(nonce, position) if nonce else position
        if earlier != position:
            yield Fault(FaultKind.NONCE_TWICE, f"segments {earlier.segment} and {position.segment}")
        if records < 0:
            yield Fault(FaultKind.UNREADABLE, f"segment {position.segment} of epoch {position.epoch}")
            return
        # One that was emptied for good has none left; of others, deletions may have taken some since.
        archived = self._counts.get(position.segment, records)
        if records > archived:
            where = f"segment {position.segment}: {records:,} records, of which the archive took {archived:,}"
            yield Fault(FaultKind.COUNT_DIFFERS, where)


def _ranges(numbers: np.ndarray) -> Iterator[tuple[int, int]]:
    if len(numbers):
        breaks = np.flatnonzero(np.diff(numbers) > 1)
        starts = [0, *(breaks + 1).tolist()]
        stops = [*breaks.tolist(), len(numbers) - 1]
        yield from ((int(numbers[start]), int(numbers[stop])) for start, stop in zip(starts, stops, strict=True))


def _span(first: int, last: int) -> str:
    return f"segment {first}" if first == last else f"segments {first} to {last}"
