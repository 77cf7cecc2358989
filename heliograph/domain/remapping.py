"""What travels from a replay to the lanes: rows that raw records of the past give today."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from heliograph.domain.events import MappedBatch, pack, unpack
from heliograph.domain.lanes import ORDINAL_BITS, SEGMENT_BITS

_POSITION = np.uint64((1 << (SEGMENT_BITS + ORDINAL_BITS)) - 1)


class Remapped(NamedTuple):
    """Raw records of one project, mapped again.

    Attributes:
        batch: the records, whose payloads nobody needs any more, and their rows.
        row_version: of each record, as UInt64: the version that its rows had the first time.
        lane: in whose log each record lies, as Int32.
    """

    batch: MappedBatch
    row_version: np.ndarray
    lane: np.ndarray

    @property
    def positions(self) -> np.ndarray:
        """The place of each record in its lane's log, as UInt64: its version without the generation."""
        return self.row_version & _POSITION

    @property
    def segments(self) -> np.ndarray:
        """The segment of each record, as UInt64."""
        segments: np.ndarray = self.positions >> np.uint64(ORDINAL_BITS)
        return segments

    def of(self, chosen: np.ndarray) -> "Remapped":
        """Only these records, given by their numbers, with their rows."""
        return Remapped(self.batch.reordered(chosen), self.row_version[chosen], self.lane[chosen])

    def packed(self) -> list[pa.Buffer]:
        """As buffers that cross a process boundary without being parsed."""
        return [*pack(self.batch), pa.py_buffer(self.row_version.tobytes()), pa.py_buffer(self.lane.tobytes())]

    @classmethod
    def unpacked(cls, buffers: Sequence[pa.Buffer]) -> "Remapped":
        """The inverse of `packed`."""
        *batch, row_version, lane = buffers
        return cls(unpack(batch), np.frombuffer(row_version, np.uint64), np.frombuffer(lane, np.int32))
