"""What travels from a door to a lane: raw records, and the rows that were mapped from them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, partial
from typing import Self

import numpy as np
import pyarrow as pa

from heliograph.domain import tables


class RecordKind(StrEnum):
    """The kinds of record in the raw log."""

    EVENT = "event"
    TOMBSTONE = "tombstone"
    MOVED = "moved"
    # Holds the place of a record that was deleted, so that those behind it keep their ordinals.
    OMITTED = "omitted"


class EntityType(StrEnum):
    """What an event record describes; it tells which decoder reads the payload again."""

    SPAN = "span"
    SCORE = "score"
    # Events of batch ingestion.
    TRACE_EVENT = "trace event"
    OBSERVATION_EVENT = "observation event"


@dataclass(frozen=True)
class IngestionFacts:
    """How an event arrived: kept beside its payload, so that a replay maps it exactly as the first time."""

    public_key: str = ""
    sdk_name: str = ""
    sdk_version: str = ""
    ingestion_version: str = ""

    def to_json(self) -> str:
        """Compact JSON without the absent facts."""
        return json.dumps({key: value for key, value in vars(self).items() if value}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`; unknown facts of later releases are ignored."""
        known = cls.__dataclass_fields__
        return cls(**{key: value for key, value in json.loads(text or "{}").items() if key in known})


# What begins the subject of that which belongs to no trace.
SESSION, RUN = "session:", "run:"


def session_subject(session_id: str) -> str:
    """The merge subject of what belongs to a session but to none of its traces."""
    return f"{SESSION}{session_id}"


def run_subject(dataset_run_id: str) -> str:
    """The merge subject of what belongs to an experiment but to none of its traces."""
    return f"{RUN}{dataset_run_id}"


# The schemas of a batch's mapped tables, in their order.
ROW_SCHEMAS = (
    tables.MAPPED_OBSERVATIONS,
    tables.MAPPED_SCORES,
    tables.MAPPED_TRACE_PARTS,
    tables.MAPPED_OBSERVATION_PARTS,
)


@dataclass(frozen=True)
class MappedBatch:
    """Raw records and the rows mapped from them.

    Each row's `record` column is the index of its record within this batch. A record may yield no row, or several.
    """

    records: pa.Table
    observations: pa.Table = field(default_factory=partial(tables.empty, tables.MAPPED_OBSERVATIONS))
    scores: pa.Table = field(default_factory=partial(tables.empty, tables.MAPPED_SCORES))
    trace_parts: pa.Table = field(default_factory=partial(tables.empty, tables.MAPPED_TRACE_PARTS))
    observation_parts: pa.Table = field(default_factory=partial(tables.empty, tables.MAPPED_OBSERVATION_PARTS))

    @property
    def row_tables(self) -> tuple[pa.Table, pa.Table, pa.Table, pa.Table]:
        """The mapped tables, always in the order observations, scores, trace parts, observation parts."""
        return (self.observations, self.scores, self.trace_parts, self.observation_parts)

    @cached_property
    def nbytes(self) -> int:
        """Bytes held in memory, which is what every bound of the path counts."""
        return sum(_nbytes(table) for table in (self.records, *self.row_tables))

    def reordered(self, order: np.ndarray) -> "MappedBatch":
        """The same batch with its records in the given order (a permutation or a subset of indices)."""
        place = np.full(self.records.num_rows, -1, dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        rows = (_follow(table, place) for table in self.row_tables)
        batch = MappedBatch(self.records.take(pa.array(order)), *rows)
        return _of_size(batch, self.nbytes) if len(order) == self.records.num_rows else batch

    def split(self, counts: Sequence[int]) -> list["MappedBatch"]:
        """The batch cut into ones of so many records each, without copying a value.

        The rows of each table must stand in the order of their records.
        """
        ends = np.cumsum(counts)
        parts = []
        for first, end in zip(ends - counts, ends, strict=True):
            rows = (_between(table, int(first), int(end)) for table in self.row_tables)
            parts.append(MappedBatch(self.records.slice(first, end - first), *rows))
        return parts

    def without_rows_of(self, dropped: np.ndarray) -> "MappedBatch":
        """The same records, of which those that are marked give no rows."""
        kept = [
            table.filter(pa.array(~dropped[table["record"].to_numpy()])) if table.num_rows else table
            for table in self.row_tables
        ]
        return MappedBatch(self.records, *kept)

    @staticmethod
    def concat(batches: Sequence["MappedBatch"]) -> "MappedBatch":
        """One batch holding all records of the given ones, in their order."""
        if len(batches) == 1:
            return batches[0]
        offsets = np.cumsum([0, *(batch.records.num_rows for batch in batches)])[:-1]
        shifted = [
            [_shift(table, int(offset)) for table in batch.row_tables]
            for batch, offset in zip(batches, offsets, strict=True)
        ]
        rows = [pa.concat_tables(parts) for parts in zip(*shifted, strict=True)]
        joined = MappedBatch(pa.concat_tables([batch.records for batch in batches]), *rows)
        return _of_size(joined, sum(batch.nbytes for batch in batches))


def _nbytes(table: pa.Table) -> int:
    # A table's own `nbytes` costs four times as much, for a table of many chunks more than its insert.
    return sum(pa.ipc.get_record_batch_size(batch) for batch in table.to_batches() if batch.num_rows)


def _of_size(batch: MappedBatch, nbytes: int) -> MappedBatch:
    """The batch, whose size is known already."""
    vars(batch)["nbytes"] = nbytes
    return batch


def _set_record(table: pa.Table, record: np.ndarray) -> pa.Table:
    index = table.schema.get_field_index("record")
    return table.set_column(index, table.schema.field(index), pa.array(record, pa.int32()))


def _shift(table: pa.Table, offset: int) -> pa.Table:
    if table.num_rows == 0 or offset == 0:
        return table
    return _set_record(table, table["record"].to_numpy() + offset)


def _between(table: pa.Table, first: int, end: int) -> pa.Table:
    if table.num_rows == 0:
        return table
    record = table["record"].to_numpy()
    start, stop = np.searchsorted(record, [first, end])
    return _set_record(table.slice(start, stop - start), record[start:stop] - first)


def _follow(table: pa.Table, place: np.ndarray) -> pa.Table:
    if table.num_rows == 0:
        return table
    record = place[table["record"].to_numpy()]
    kept = np.flatnonzero(record >= 0)
    ordered = kept[np.argsort(record[kept], kind="stable")]
    return _set_record(table.take(pa.array(ordered)), record[ordered])


def pack(batch: MappedBatch) -> list[pa.Buffer]:
    """The batch as Arrow IPC messages, which cross a process boundary without being parsed.

    The messages carry no schema, since both sides know it and reading it would cost a small batch more than its rows.

    Returns:
        Five buffers: records, observations, scores, trace parts, observation parts; an empty table is an empty buffer.
    """
    return [_pack_table(table) for table in (batch.records, *batch.row_tables)]


def unpack(buffers: Sequence[pa.Buffer]) -> MappedBatch:
    """The inverse of `pack`; the tables are views of the buffers."""
    records, *rows = buffers
    unpacked = [_unpack_table(buffer, schema) for buffer, schema in zip(rows, ROW_SCHEMAS, strict=True)]
    batch = MappedBatch(_unpack_table(records, tables.RECORDS), *unpacked)
    return _of_size(batch, sum(buffer.size for buffer in buffers))


def _pack_table(table: pa.Table) -> pa.Buffer:
    if table.num_rows == 0:
        return pa.py_buffer(b"")
    (batch,) = table.combine_chunks().to_batches()
    return batch.serialize()


def _unpack_table(buffer: pa.Buffer, schema: pa.Schema) -> pa.Table:
    if buffer.size == 0:
        return tables.empty(schema)
    return pa.Table.from_batches([pa.ipc.read_record_batch(buffer, schema)])
