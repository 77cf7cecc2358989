"""The segments of one lane as the archive holds them: what a replay reads when the log itself has been freed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain import tables
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LogPosition
from storage.objects import segments
from storage.objects.archive import Archive, ArchiveFile, Partition, live
from storage.objects.archive_index import ArchiveIndex

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_WINDOW_BYTES = 32 << 20


class ArchivedLane:
    """Puts segments together again, in log order, each record at its ordinal.

    A replay asks for one segment after the other, so the segments behind the one asked for are read with it.
    """

    def __init__(self, client: "S3Client", bucket: str, lane: LaneNumber) -> None:
        self._archive = Archive(client, bucket)
        self._index = ArchiveIndex(client, bucket, lane)
        self._lane = lane
        self._window: dict[int, pa.Table] = {}
        self._folders: dict[Partition, list[ArchiveFile]] = {}

    def positions_after(self, segment: int) -> Iterator[tuple[LogPosition, bool]]:
        """Every archived position behind a segment, in order, with whether it is a seal."""
        for entries in self._index.after(segment):
            columns = (entries[name].to_numpy() for name in ("epoch", "segment", "is_seal"))
            seen = -1
            for epoch, number, is_seal in zip(*columns, strict=True):
                if number != seen:
                    seen = number
                    yield LogPosition(int(epoch), int(number)), bool(is_seal)

    def read(self, segment: int) -> pa.Table | None:
        """The records of a segment, those that were deleted as empty places; None if the archive does not have it."""
        if segment not in self._window:
            self.forget()
            self._window = self._read_window(segment)
        return self._window.get(segment)

    def forget(self) -> None:
        """Let go of what was read ahead. Files are listed anew for each window, since a merge may remove them."""
        self._window = {}
        self._folders = {}

    def _read_window(self, segment: int) -> dict[int, pa.Table]:
        entries = self._entries(segment)
        if entries is None:
            return {}
        numbers = np.unique(entries["segment"].to_numpy())
        first, last = int(numbers[0]), int(numbers[-1])
        days = set(zip(entries["project_id"].to_pylist(), entries["day"].to_pylist(), strict=True))
        parts = [
            part
            for project_id, day in sorted(days)
            if project_id
            for file in self._files(Partition(ProjectId(project_id), day))
            if file.first <= last and file.last >= first
            for part in self._rows(file, first, last)
        ]
        rows = pa.concat_tables(parts) if parts else tables.ARCHIVED_RECORDS.empty_table()
        return {int(number): _segment(rows.filter(pc.equal(rows["segment"], number))) for number in numbers}

    def _entries(self, segment: int) -> pa.Table | None:
        """The entries from this segment on, about as much as a window holds."""
        for entries in self._index.after(segment - 1):
            if entries.num_rows == 0 or entries["segment"][0].as_py() != segment:
                return None
            held = np.cumsum(entries["nbytes"].to_numpy())
            last = entries["segment"].to_numpy()[min(int(np.searchsorted(held, _WINDOW_BYTES)), len(held) - 1)]
            return entries.filter(pc.less_equal(entries["segment"], last))
        return None

    def _files(self, partition: Partition) -> list[ArchiveFile]:
        if partition not in self._folders:
            mine = [file for file in self._archive.files(partition.folder) if file.lane == self._lane]
            self._folders[partition] = live(mine)
        return self._folders[partition]

    def _rows(self, file: ArchiveFile, first: int, last: int) -> Iterator[pa.Table]:
        parquet = self._archive.open(file)
        column = parquet.schema_arrow.get_field_index("segment")
        for number in range(parquet.num_row_groups):
            bounds = parquet.metadata.row_group(number).column(column).statistics
            if bounds.min <= last and bounds.max >= first:
                rows = parquet.read_row_group(number, use_threads=False)
                yield rows.filter(
                    pc.and_(pc.greater_equal(rows["segment"], first), pc.less_equal(rows["segment"], last))
                )


def _segment(rows: pa.Table) -> pa.Table:
    """The records of one segment at their ordinals; a gap becomes an empty place."""
    rows = rows.take(pc.sort_indices(rows["ordinal"]))
    ordinals = rows["ordinal"].to_numpy()
    records = rows.select(tables.RECORDS.names).cast(tables.RECORDS)
    if not len(ordinals) or int(ordinals[-1]) == len(ordinals) - 1:
        return records
    # Every gap takes its project and time from the record behind it, so that the segment stays sorted.
    source = np.searchsorted(ordinals, np.arange(ordinals[-1] + 1))
    gaps = np.setdiff1d(np.arange(ordinals[-1] + 1), ordinals)
    return segments.emptied(records.take(pa.array(source)), gaps)
