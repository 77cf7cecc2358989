"""A segment of the raw log as bytes: Parquet, zstd, sorted by project, one row group for each."""

import io
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from heliograph.domain import tables

COMPRESSION_LEVEL = 1
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
    """The records of a segment, in log order."""
    return pq.read_table(pa.BufferReader(data), use_threads=False).cast(tables.RECORDS)


def _project_groups(records: pa.Table) -> list[pa.Table]:
    codes = pc.dictionary_encode(records["project_id"].combine_chunks()).indices.to_numpy()
    bounds = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    return [records.slice(start, stop - start) for start, stop in pairwise(bounds)]
