"""Records of many segments sorted out by project and day, on the local disk beyond a bound in memory."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain import tables
from heliograph.domain.identifiers import ProjectId
from storage.objects.archive import Partition

_EPOCH = date(1970, 1, 1)
_DAY_MICROSECONDS = 86_400 * 10**6
# No date goes beyond the year 9999.
_LAST_DAY = (date.max - _EPOCH).days
_DAY_BITS = _LAST_DAY.bit_length()


@dataclass
class PartitionedRecords:
    """Takes `tables.ARCHIVED_RECORDS` in log order and gives those of each partition back in the same order.

    Attributes:
        folder: an empty local folder for what does not fit.
        max_bytes: how much is held in memory.
    """

    folder: Path
    max_bytes: int
    _held: defaultdict[Partition, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    _spilled: defaultdict[Partition, list[tuple[Path, int]]] = field(default_factory=lambda: defaultdict(list))
    _nbytes: int = 0
    _spills: int = 0

    def add(self, partition: Partition, records: pa.Table) -> None:
        """Take records of one partition."""
        self._held[partition].append(records)
        self._nbytes += records.nbytes
        if self._nbytes >= self.max_bytes:
            self._spill()

    @property
    def partitions(self) -> list[Partition]:
        """Every partition that has records."""
        return sorted(self._held.keys() | self._spilled.keys())

    def records(self, partition: Partition) -> Iterator[pa.Table]:
        """Its records, in the order in which they came."""
        for path, number in self._spilled.get(partition, []):
            with pa.memory_map(str(path)) as source:
                yield pa.Table.from_batches([pa.ipc.open_file(source).get_batch(number)])
        yield from self._held.get(partition, [])

    def _spill(self) -> None:
        path = self.folder / f"{self._spills:06d}.arrow"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_file(str(path), tables.ARCHIVED_RECORDS, options=options) as writer:
            for number, partition in enumerate(sorted(self._held)):
                (batch,) = pa.concat_tables(self._held[partition]).combine_chunks().to_batches()
                writer.write_batch(batch)
                self._spilled[partition].append((path, number))
        self._held.clear()
        self._nbytes = 0
        self._spills += 1


def partitions_of(records: pa.Table) -> Iterator[tuple[Partition, pa.Table]]:
    """The records of each project and day, in their order."""
    if records.num_rows == 0:
        return
    projects = pc.dictionary_encode(records["project_id"].combine_chunks())
    days = records["received_at"].cast(pa.int64()).to_numpy() // _DAY_MICROSECONDS
    days = days.clip(0, _LAST_DAY)
    codes = projects.indices.to_numpy().astype(np.int64) << _DAY_BITS | days
    pairs, which = np.unique(codes, return_inverse=True)
    for number, pair in enumerate(pairs.tolist()):
        day = _EPOCH + timedelta(days=pair & ((1 << _DAY_BITS) - 1))
        partition = Partition(ProjectId(projects.dictionary[pair >> _DAY_BITS].as_py()), day)
        chosen = np.flatnonzero(which == number)
        first, count = int(chosen[0]), len(chosen)
        # Segments are sorted by project, so that but for midnight there is nothing to copy.
        is_one_run = int(chosen[-1]) - first == count - 1
        yield partition, records.slice(first, count) if is_one_run else records.take(pa.array(chosen))
