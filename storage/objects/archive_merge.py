"""Merges the small files of a project's day into large ones, and removes what a larger file supersedes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from heliograph.domain.identifiers import LaneNumber
from storage.objects.archive import Archive, ArchiveFile, by_folder, live, superseded, write_parquet

# Records of a day come a little after midnight too: from doors with slow clocks, and from a compaction under way.
_DAY_IS_OVER_AFTER = timedelta(hours=1)


@dataclass
class Merged:
    """Files that became larger ones, those larger ones, and superseded files that were removed."""

    merged: int = 0
    written: int = 0
    removed: int = 0


class ArchiveMerge:
    """Keeps one lane's part of the archive in large files. Whoever calls holds the lane's compaction."""

    def __init__(self, archive: Archive, lane: LaneNumber, *, max_file_bytes: int, superseded_for: timedelta) -> None:
        self._archive = archive
        self._lane = lane
        self._max_file_bytes = max_file_bytes
        self._superseded_for = superseded_for

    def run(self, through: int, now: datetime) -> Merged:
        """Merge files of ranges that are complete up to a segment, if their day is over."""
        done = Merged()
        mine = (file for file in self._archive.files() if file.lane == self._lane and file.last <= through)
        for (partition, _), files in by_folder(mine).items():
            outdated = self._outdated(files, now)
            self._archive.delete(outdated)
            done.removed += len(outdated)
            if _is_over(partition.day, now):
                for group in self._groups(live(files)):
                    self._merge(group)
                    done.merged += len(group)
                    done.written += 1
        return done

    def _outdated(self, files: Sequence[ArchiveFile], now: datetime) -> list[ArchiveFile]:
        """The superseded files that no reader who listed them before may still be reading."""
        old = [file for file in live(files) if file.written_at <= now - self._superseded_for]
        return [
            file
            for file in superseded(files)
            if any(large.first <= file.first <= file.last <= large.last for large in old)
        ]

    def _groups(self, files: Iterable[ArchiveFile]) -> Iterator[list[ArchiveFile]]:
        """Neighbours that fit into one file together."""
        group: list[ArchiveFile] = []
        for file in files:
            if group and sum(one.nbytes for one in group) + file.nbytes > self._max_file_bytes:
                if len(group) > 1:
                    yield group
                group = []
            group.append(file)
        if len(group) > 1:
            yield group

    def _merge(self, group: Sequence[ArchiveFile]) -> None:
        with TemporaryDirectory(prefix="heliograph-") as folder:
            path = Path(folder) / "merged.parquet"
            write_parquet(path, self._rows(group))
            self._archive.write(group[0]._replace(last=group[-1].last), path)

    def _rows(self, group: Sequence[ArchiveFile]) -> Iterator[pa.Table]:
        for file in group:
            parquet = self._archive.open(file)
            for number in range(parquet.num_row_groups):
                yield parquet.read_row_group(number, use_threads=False)


def _is_over(day: date, now: datetime) -> bool:
    return now >= datetime.combine(day, time(), UTC) + timedelta(days=1) + _DAY_IS_OVER_AFTER
