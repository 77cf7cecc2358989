"""Writes a range of a lane's log into the archive: one file for each project and day, and the index of the range."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from heliograph import telemetry
from heliograph.domain import tables
from heliograph.domain.events import RecordKind
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import SegmentMissing
from storage.objects import segments
from storage.objects.archive import Archive, ArchiveFile, Partition, write_parquet
from storage.objects.archive_index import ArchiveIndex
from storage.objects.connection import answering
from storage.objects.log_upkeep import LogUpkeep
from storage.objects.omission import Omission
from storage.objects.partitioned import PartitionedRecords, partitions_of
from storage.objects.raw_log import ListedSegment, RawLog

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Neither says anything of its project: the one is gone, and the other is about lanes.
_NOT_ARCHIVED = pa.array([RecordKind.OMITTED.value, RecordKind.MOVED.value])
_log = telemetry.logger("archiver")
# Of a segment that gave nothing.
_NOWHERE = Partition(ProjectId(""), date(1970, 1, 1))


@dataclass
class Archived:
    """What a range gave."""

    segments: int = 0
    records: int = 0
    files: int = 0
    damaged: int = 0
    omitted: int = 0


class Archiver:
    """Archives ranges of one lane's log. A range that is repeated overwrites its files and its index."""

    def __init__(self, client: "S3Client", bucket: str, lane: LaneNumber, *, max_held_bytes: int) -> None:
        self._client = client
        self._bucket = bucket
        self._lane = lane
        self._max_held_bytes = max_held_bytes
        self._log = RawLog(client, bucket, lane)
        self._archive = Archive(client, bucket)
        self._index = ArchiveIndex(client, bucket, lane)
        self._upkeep = LogUpkeep(client, bucket, lane)

    def archive(
        self, first: int, listed: Sequence[ListedSegment], omission: Omission, *, on_segment: Callable[[int], None]
    ) -> Archived:
        """Write every record of these objects that was not deleted; they are the whole log from segment `first` on."""
        done = Archived()
        last = listed[-1].position.segment
        entries: list[dict[str, Any]] = []
        with TemporaryDirectory(prefix="heliograph-") as folder:
            records = PartitionedRecords(Path(folder), self._max_held_bytes)
            for one in listed:
                entries.extend(self._sort_out(self._placed(one, omission, done), one, records))
                on_segment(one.position.segment)
            for partition in records.partitions:
                path = Path(folder) / "partition.parquet"
                done.records += write_parquet(path, records.records(partition))
                self._archive.write(ArchiveFile(partition, self._lane, first, last), path)
                done.files += 1
        self._index.write(first, last, pa.Table.from_pylist(entries, schema=tables.ARCHIVE_INDEX))
        return done

    def _sort_out(
        self, placed: pa.Table, listed: ListedSegment, records: PartitionedRecords
    ) -> Iterator[dict[str, Any]]:
        is_accounted = False
        for partition, rows in partitions_of(placed):
            records.add(partition, rows)
            is_accounted = True
            yield _entry(listed, partition, rows)
        if not is_accounted:
            yield _entry(listed, _NOWHERE, tables.ARCHIVED_RECORDS.empty_table())

    def _placed(self, listed: ListedSegment, omission: Omission, done: Archived) -> pa.Table:
        """The records that are left of a segment, with their places."""
        done.segments += not listed.is_seal
        placed = self._read(listed, done)
        covered = omission.covered(placed)
        if covered:
            is_covered = np.logical_or.reduce(list(covered.values()))
            self._upkeep.empty(listed.position, np.flatnonzero(is_covered))
            omission.count(covered)
            placed = placed.filter(pa.array(~is_covered))
        is_left = pc.invert(pc.is_in(placed["kind"], _NOT_ARCHIVED))
        return placed if pc.all(is_left).as_py() else placed.filter(is_left)

    def _read(self, listed: ListedSegment, done: Archived) -> pa.Table:
        try:
            records = tables.RECORDS.empty_table() if listed.is_seal else self._log.read(listed.position)
        except (pa.ArrowInvalid, SegmentMissing) as error:
            done.damaged += 1
            _log.error("segment_not_archived", lane=self._lane, segment=listed.position.segment, reason=str(error))
            self._keep_damaged(listed)
            records = tables.RECORDS.empty_table()
        count = records.num_rows
        for name, values in (
            ("lane", np.full(count, self._lane)),
            ("segment", np.full(count, listed.position.segment)),
            ("ordinal", np.arange(count)),
        ):
            column = tables.ARCHIVED_RECORDS.field(name)
            records = records.append_column(column, pa.array(values, column.type))
        return records

    def _keep_damaged(self, listed: ListedSegment) -> None:
        """Segments are freed one day; what could not be read stays for whoever may mend it."""
        source = segments.key(self._lane, listed.position)
        with answering("The raw log"):
            copied = {"Bucket": self._bucket, "Key": source}
            self._client.copy_object(Bucket=self._bucket, Key=f"damaged/{source}", CopySource=copied)  # type: ignore[arg-type]


def _entry(listed: ListedSegment, partition: Partition, rows: pa.Table) -> dict[str, Any]:
    return {
        "epoch": listed.position.epoch,
        "segment": listed.position.segment,
        "is_seal": listed.is_seal,
        "project_id": partition.project_id,
        "day": partition.day,
        "records": rows.num_rows,
        "nbytes": rows.nbytes,
    }
