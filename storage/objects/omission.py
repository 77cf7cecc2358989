"""Leaves deleted records out of the archive, and empties their places in the log."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from heliograph.domain.deletions import Buried, Removed, Tombstone
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import ORDINAL_BITS, LogPosition
from storage.objects.archive import Archive, ArchiveFile, live, project_folder, write_parquet
from storage.objects.archive_index import ArchiveIndex
from storage.objects.log_upkeep import LogUpkeep

_DECIDING = ["kind", "project_id", "subject", "entity_type", "entity_id", "segment", "ordinal"]


class Omission:
    """Which records some tombstones of one lane cover, and how many that were for each deletion.

    The counts of a run that is killed are lost, so that a report may be too low, never too high.
    """

    def __init__(self, tombstones: Iterable[Tombstone]) -> None:
        grouped: defaultdict[str, list[Tombstone]] = defaultdict(list)
        for one in tombstones:
            grouped[one.deletion_id].append(one)
        self._buried = {deletion_id: Buried(group) for deletion_id, group in grouped.items()}
        self.projects: list[ProjectId] = sorted({one.project_id for group in grouped.values() for one in group})
        self.removed: defaultdict[str, Removed] = defaultdict(Removed)

    def covered(self, archived: pa.Table) -> dict[str, np.ndarray]:
        """The places in a table of archived records that each deletion covers; each place belongs to one."""
        positions = positions_of(archived)
        taken = np.zeros(archived.num_rows, dtype=bool)
        found: dict[str, np.ndarray] = {}
        for deletion_id, buried in self._buried.items():
            mask = buried.covered(archived, positions)
            if mask is not None and (mask & ~taken).any():
                found[deletion_id] = mask & ~taken
                taken |= mask
        return found

    def count(self, covered: dict[str, np.ndarray], *, files: int = 0) -> None:
        """Add places that were removed to the report."""
        for deletion_id, mask in covered.items():
            self.removed[deletion_id] += Removed(log_records=int(mask.sum()), archive_files=files)


class ArchiveSweep:
    """Rewrites the files of one lane that hold deleted records. Repeated after a kill, it does what is left."""

    def __init__(self, archive: Archive, index: ArchiveIndex, upkeep: LogUpkeep, *, lane: LaneNumber) -> None:
        self._archive = archive
        self._index = index
        self._upkeep = upkeep
        self._lane = lane

    def run(self, omission: Omission) -> None:
        """Remove what the tombstones cover from log and archive."""
        for project_id in omission.projects:
            files = [file for file in self._archive.files(project_folder(project_id)) if file.lane == self._lane]
            kept = set(live(files))
            for file in files:
                covered = self._omit(file, omission)
                if file in kept:
                    omission.count(covered, files=1)

    def _omit(self, file: ArchiveFile, omission: Omission) -> dict[str, np.ndarray]:
        places = self._archive.open(file).read(_DECIDING, use_threads=False)
        covered = omission.covered(places)
        if covered:
            is_left = ~np.logical_or.reduce(list(covered.values()))
            # The log first: only the archive tells which segments these records are in.
            self._empty(positions_of(places.filter(pa.array(~is_left))))
            if is_left.any():
                self._rewrite(file, is_left)
            else:
                self._archive.delete([file])
        return covered

    def _empty(self, positions: np.ndarray) -> None:
        numbers = (positions >> np.uint64(ORDINAL_BITS)).astype(np.int64)
        ordinals = (positions & np.uint64((1 << ORDINAL_BITS) - 1)).astype(np.int64)
        for position in self._log_positions(np.unique(numbers)):
            self._upkeep.empty(position, ordinals[numbers == position.segment])

    def _log_positions(self, numbers: np.ndarray) -> Iterator[LogPosition]:
        left = set(numbers.tolist())
        for entries in self._index.after(int(numbers[0]) - 1):
            epochs = dict(zip(entries["segment"].to_pylist(), entries["epoch"].to_pylist(), strict=True))
            for number in sorted(left & epochs.keys()):
                yield LogPosition(epochs[number], number)
            left -= epochs.keys()
            if not left:
                return

    def _rewrite(self, file: ArchiveFile, is_left: np.ndarray) -> None:
        with TemporaryDirectory(prefix="heliograph-") as folder:
            path = Path(folder) / "left.parquet"
            write_parquet(path, self._left(file, is_left))
            self._archive.write(file, path)

    def _left(self, file: ArchiveFile, is_left: np.ndarray) -> Iterator[pa.Table]:
        parquet = self._archive.open(file)
        start = 0
        for number in range(parquet.num_row_groups):
            rows = parquet.read_row_group(number, use_threads=False)
            yield rows.filter(pa.array(is_left[start : start + rows.num_rows]))
            start += rows.num_rows


def may_lack(tombstones: Sequence[Tombstone]) -> dict[ProjectId, int]:
    """The last segment of each project from which a tombstone may have taken records."""
    last: dict[ProjectId, int] = {}
    for one in tombstones:
        last[one.project_id] = max(last.get(one.project_id, 0), one.segment)
    return last


def positions_of(archived: pa.Table) -> np.ndarray:
    """Where each archived record lies in its lane's log, comparable with tombstones."""
    segments = archived["segment"].to_numpy().astype(np.uint64)
    ordinals = archived["ordinal"].to_numpy().astype(np.uint64)
    positions: np.ndarray = (segments << np.uint64(ORDINAL_BITS)) | ordinals
    return positions
