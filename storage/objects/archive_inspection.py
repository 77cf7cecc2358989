"""Verifies one lane's part of the archive: every record that its index counts is in exactly one file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import ORDINAL_BITS
from storage.objects.archive import Archive, ArchiveFile, Partition, by_folder, live
from storage.objects.archive_index import ArchiveIndex
from storage.objects.connection import answering
from storage.objects.log_inspection import Fault, FaultKind

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Up to which segment records of a project may have been deleted: the index counts them, and no file has them.
Lacking = Mapping[ProjectId, int]


@dataclass
class ArchiveInspection:
    """What was looked at, and what is wrong with it."""

    files: int = 0
    nbytes: int = 0
    records: int = 0
    faults: list[Fault] = field(default_factory=list)


class ArchiveInspector:
    """Compares the index of one lane with the files of the archive."""

    def __init__(self, client: "S3Client", bucket: str, lane: LaneNumber) -> None:
        self._client = client
        self._bucket = bucket
        self._lane = lane
        self._archive = Archive(client, bucket)
        parts = list(ArchiveIndex(client, bucket, lane).after(0))
        self._index = pa.concat_tables(parts) if parts else tables.ARCHIVE_INDEX.empty_table()

    @property
    def epochs(self) -> dict[int, int]:
        """The epoch of every archived segment."""
        return dict(zip(self._index["segment"].to_pylist(), self._index["epoch"].to_pylist(), strict=True))

    @property
    def counts(self) -> dict[int, int]:
        """How many records the archive took of each segment."""
        totals = self._index.group_by("segment").aggregate([("records", "sum")])
        return dict(zip(totals["segment"].to_pylist(), totals["records_sum"].to_pylist(), strict=True))

    def inspect(self, lacking: Lacking) -> ArchiveInspection:
        """Look at every file of the lane."""
        done = ArchiveInspection()
        done.faults += self._damaged()
        files = by_folder(file for file in self._archive.files() if file.lane == self._lane)
        expected = self._expected()
        for partition in sorted(expected.keys() | {partition for partition, _ in files}):
            kept = live(files.get((partition, self._lane), []))
            done.files += len(kept)
            done.nbytes += sum(file.nbytes for file in kept)
            done.faults += _overlaps(kept)
            positions = self._positions(kept, done)
            done.records += len(positions)
            done.faults += _compared(partition, positions, expected.get(partition, {}), lacking=lacking)
        return done

    def _damaged(self) -> Iterator[Fault]:
        with answering("The object store"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"damaged/wal/{self._lane}/"):
                yield from (Fault(FaultKind.DAMAGED_KEPT, entry["Key"]) for entry in page.get("Contents", []))

    def _expected(self) -> dict[Partition, dict[int, int]]:
        expected: dict[Partition, dict[int, int]] = {}
        columns = (self._index[name].to_pylist() for name in ("project_id", "day", "segment", "records"))
        for project_id, day, segment, records in zip(*columns, strict=True):
            if project_id:
                expected.setdefault(Partition(ProjectId(project_id), day), {})[segment] = records
        return expected

    def _positions(self, files: Sequence[ArchiveFile], done: ArchiveInspection) -> np.ndarray:
        found = [np.empty(0, np.int64)]
        for file in files:
            try:
                places = self._archive.open(file).read(["segment", "ordinal"], use_threads=False)
            except (pa.ArrowException, OSError) as error:
                done.faults.append(Fault(FaultKind.ARCHIVE_UNREADABLE, f"{file.key}: {error}"))
                continue
            ordinals = places["ordinal"].to_numpy().astype(np.int64)
            found.append((places["segment"].to_numpy() << ORDINAL_BITS) | ordinals)
        return np.concatenate(found)


def _overlaps(files: Sequence[ArchiveFile]) -> Iterator[Fault]:
    for file, behind in pairwise(files):
        if behind.first <= file.last:
            yield Fault(FaultKind.ARCHIVE_OVERLAP, f"{file.key} and {behind.key}")


def _compared(
    partition: Partition, positions: np.ndarray, expected: dict[int, int], *, lacking: Lacking
) -> Iterator[Fault]:
    folder = partition.folder
    unique = np.unique(positions)
    if len(unique) < len(positions):
        yield Fault(FaultKind.ARCHIVED_TWICE, f"{len(positions) - len(unique):,} records of {folder}")
    numbers, counts = np.unique(unique >> ORDINAL_BITS, return_counts=True)
    found = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    for segment in sorted(expected.keys() | found.keys()):
        missing = expected.get(segment, 0) - found.get(segment, 0)
        if missing > 0 and segment > lacking.get(partition.project_id, 0):
            yield Fault(FaultKind.ARCHIVE_LACKS, f"{missing:,} records of segment {segment} in {folder}")
        if missing < 0:
            yield Fault(FaultKind.ARCHIVE_SURPLUS, f"{-missing:,} records of segment {segment} in {folder}")
