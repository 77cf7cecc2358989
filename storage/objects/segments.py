"""A segment of the raw log: its key, and its bytes: Parquet, zstd, sorted by project, one row group for each."""

import io
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from heliograph.domain import tables
from heliograph.domain.events import RecordKind
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lanes import LogPosition

COMPRESSION_LEVEL = 1
NONCE = "nonce"
_EMPTIED = {
    "kind": RecordKind.OMITTED.value,
    "subject": "",
    "entity_type": "",
    "entity_id": "",
    "facts": "",
    "payload": b"",
}
_DICTIONARY_COLUMNS = ["kind", "project_id", "entity_type", "facts", "received_at"]


def project_order(records: pa.Table) -> np.ndarray | None:
    """The stable order that sorts the records by project, or None when they are of one project already."""
    projects = pc.dictionary_encode(records["project_id"].combine_chunks())
    if len(projects.dictionary) <= 1:
        return None
    ranks = pc.rank(projects.dictionary, tiebreaker="dense").to_numpy()
    order: np.ndarray = np.argsort(ranks[projects.indices.to_numpy()], kind="stable")
    return order


def encode(records: pa.Table) -> bytes:
    """Records already sorted by project, as one Parquet file."""
    sink = io.BytesIO()
    with pq.ParquetWriter(
        sink,
        tables.RECORDS,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=_DICTIONARY_COLUMNS,
        write_statistics=["project_id"],
    ) as writer:
        for group in _project_groups(records):
            writer.write_table(group, row_group_size=max(group.num_rows, 1))
    return sink.getvalue()


def decode(data: bytes) -> pa.Table:
    """The records of a segment, in log order; raises pa.ArrowInvalid for bytes that are damaged in whatever way."""
    try:
        # `read_table` would open a data set of one file, which costs a small segment more than its pages do.
        return pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False).cast(tables.RECORDS)
    except OSError as error:
        # A damaged page is an I/O error to Arrow, which callers would take for a store that does not answer.
        raise pa.ArrowInvalid(str(error)) from error


def emptied(records: pa.Table, places: np.ndarray) -> pa.Table:
    """The same records with nothing left at these places but the project and the time; the others keep theirs."""
    is_emptied = np.zeros(records.num_rows, dtype=bool)
    is_emptied[places] = True
    mask = pa.array(is_emptied)
    for name, value in _EMPTIED.items():
        index = records.schema.get_field_index(name)
        field = records.schema.field(index)
        column = pc.if_else(mask, pa.scalar(value, field.type), records[name].combine_chunks())
        records = records.set_column(index, field, column)
    return records


def prefix(lane: LaneNumber) -> str:
    """Where the log of a lane lies."""
    return f"wal/{lane}/"


def key(lane: LaneNumber, position: LogPosition) -> str:
    """The key of a segment, padded so that keys sort by position."""
    return f"{prefix(lane)}{position.epoch:010d}/{position.segment:012d}.parquet"


def position_of(key: str) -> LogPosition:
    """The inverse of `key`."""
    _, _, epoch, name = key.split("/")
    return LogPosition(int(epoch), int(name.removesuffix(".parquet")))


def _project_groups(records: pa.Table) -> list[pa.Table]:
    codes = pc.dictionary_encode(records["project_id"].combine_chunks()).indices.to_numpy()
    bounds = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    return [records.slice(start, stop - start) for start, stop in pairwise(bounds)]
