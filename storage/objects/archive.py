"""The archive: the raw records of each project and day in large Parquet files, beyond the life of the log.

A file is `raw/{project}/{yyyy}/{mm}/{dd}/lane-{lane}-{first}-{last}.parquet` and holds every record of its project and
day from a range of segments of one lane. Ranges are disjoint or nested. A file whose range lies within another's is
superseded: a merge writes the large file first and removes the small ones later, and whoever reads only live files sees
each record exactly once at every moment.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq

from heliograph.domain import tables
from heliograph.domain.identifiers import LaneNumber, ProjectId
from storage.objects.connection import answering
from storage.objects.ranged import RangedObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "raw/"
COMPRESSION_LEVEL = 3
# Large enough for zstd, small enough that one segment read again costs little.
ROW_GROUP_BYTES = 2 << 20
_SERVICE = "The archive"
_NAME = re.compile(
    r"raw/(?P<project>[^/]+)/(?P<day>\d{4}/\d\d/\d\d)/lane-(?P<lane>\d+)-(?P<first>\d+)-(?P<last>\d+)\.parquet"
)
_DELETED_AT_ONCE = 1_000

NEVER = datetime.min.replace(tzinfo=UTC)


class Partition(NamedTuple):
    """A project and a day of receipt, in UTC."""

    project_id: ProjectId
    day: date

    @property
    def folder(self) -> str:
        """The common start of the keys."""
        return f"{project_folder(self.project_id)}{self.day:%Y/%m/%d}/"


class ArchiveFile(NamedTuple):
    """One file of the archive; size and time are known of those that were listed."""

    partition: Partition
    lane: LaneNumber
    first: int
    last: int
    nbytes: int = 0
    written_at: datetime = NEVER

    @property
    def key(self) -> str:
        """The same for the same range: a run that is repeated overwrites."""
        return f"{self.partition.folder}lane-{self.lane:04d}-{self.first:012d}-{self.last:012d}.parquet"

    def covers(self, segment: int) -> bool:
        """Whether records of the segment may be in this file."""
        return self.first <= segment <= self.last


def live(files: Iterable[ArchiveFile]) -> list[ArchiveFile]:
    """The files that no other supersedes, in the order of project, day, lane and range."""
    kept: list[ArchiveFile] = []
    for file in sorted(files, key=lambda file: (file.partition, file.lane, file.first, -file.last)):
        is_sibling = bool(kept) and (kept[-1].partition, kept[-1].lane) == (file.partition, file.lane)
        if not (is_sibling and file.last <= kept[-1].last):
            kept.append(file)
    return kept


def superseded(files: Iterable[ArchiveFile]) -> list[ArchiveFile]:
    """The files whose records are all in a larger one."""
    every = list(files)
    kept = set(live(every))
    return [file for file in every if file not in kept]


def by_folder(files: Iterable[ArchiveFile]) -> dict[tuple[Partition, LaneNumber], list[ArchiveFile]]:
    """The files of each project, day and lane."""
    groups: defaultdict[tuple[Partition, LaneNumber], list[ArchiveFile]] = defaultdict(list)
    for file in files:
        groups[file.partition, file.lane].append(file)
    return groups


def project_folder(project_id: ProjectId) -> str:
    """The common start of a project's keys."""
    return f"{PREFIX}{quote(project_id, safe='')}/"


class Archive:
    """Lists, reads and writes the files of the archive."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def files(self, prefix: str = PREFIX) -> Iterator[ArchiveFile]:
        """Every file below a prefix, superseded ones too."""
        with answering(_SERVICE):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    file = _parsed(entry["Key"], entry["Size"], entry["LastModified"])
                    if file is not None:
                        yield file

    def live_files(self, project_id: ProjectId) -> list[ArchiveFile]:
        """What holds each archived record of a project exactly once: give their keys to `ray.data.read_parquet`."""
        return live(self.files(project_folder(project_id)))

    def open(self, file: ArchiveFile) -> pq.ParquetFile:
        """A listed file, read in ranges."""
        ranged = RangedObject(self._client, self._bucket, file.key, size=file.nbytes)
        return pq.ParquetFile(pa.PythonFile(ranged, mode="r"), pre_buffer=True)

    def write(self, file: ArchiveFile, path: Path) -> None:
        """Put a local file there, at once and as a whole."""
        with path.open("rb") as body, answering(_SERVICE):
            self._client.put_object(Bucket=self._bucket, Key=file.key, Body=body)

    def delete(self, files: Iterable[ArchiveFile]) -> None:
        """Remove files; one that is gone already changes nothing."""
        keys = [file.key for file in files]
        with answering(_SERVICE):
            for start in range(0, len(keys), _DELETED_AT_ONCE):
                objects = [{"Key": key} for key in keys[start : start + _DELETED_AT_ONCE]]
                self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]


def write_parquet(path: Path, batches: Iterable[pa.Table]) -> int:
    """Write archived records to a local file in row groups of even size; returns how many."""
    rows = nbytes = 0
    held: list[pa.Table] = []
    with pq.ParquetWriter(
        path,
        tables.ARCHIVED_RECORDS,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=["kind", "project_id", "subject", "entity_type", "facts", "lane", "segment"],
        write_statistics=["received_at", "lane", "segment"],
    ) as writer:
        for batch in batches:
            held.append(batch)
            nbytes += batch.nbytes
            rows += batch.num_rows
            if nbytes >= ROW_GROUP_BYTES:
                _write_groups(writer, held, nbytes)
                held, nbytes = [], 0
        _write_groups(writer, held, nbytes)
    return rows


def _write_groups(writer: pq.ParquetWriter, held: list[pa.Table], nbytes: int) -> None:
    table = pa.concat_tables(held) if held else tables.ARCHIVED_RECORDS.empty_table()
    if table.num_rows:
        writer.write_table(table, row_group_size=max(1, table.num_rows * ROW_GROUP_BYTES // max(nbytes, 1)))


def _parsed(key: str, size: int, written_at: datetime) -> ArchiveFile | None:
    match = _NAME.fullmatch(key)
    if match is None:
        return None
    day = datetime.strptime(match["day"], "%Y/%m/%d").replace(tzinfo=UTC).date()
    partition = Partition(ProjectId(unquote(match["project"])), day)
    return ArchiveFile(
        partition, LaneNumber(int(match["lane"])), int(match["first"]), int(match["last"]), size, written_at
    )
