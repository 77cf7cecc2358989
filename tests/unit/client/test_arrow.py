"""Streams that are cut, and imports that are light."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pyarrow as pa
import pytest

from heliograph.client.arrow import batches
from heliograph.domain.errors import StreamBroken

TABLE = pa.table({"id": [str(number) for number in range(1000)]})


def stream() -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, TABLE.schema, options=options) as writer:
        writer.write_table(TABLE, max_chunksize=100)
    return bytes(sink.getvalue())


def chunked(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_batches_come_out_of_chunks_of_any_size(size: int) -> None:
    schema, found = batches(chunked(stream(), size))
    assert pa.Table.from_batches(found, schema).equals(TABLE)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9])
def test_a_stream_that_was_cut_is_an_error_and_not_fewer_rows(share: float) -> None:
    content = stream()
    with pytest.raises(StreamBroken):
        list(batches(chunked(content[: int(len(content) * share)], 100))[1])
    with pytest.raises(StreamBroken):
        list(batches(chunked(content[:-8], 100))[1])


def test_a_connection_that_breaks_is_the_same_error() -> None:
    def broken() -> Iterator[bytes]:
        yield stream()[:-500]
        raise httpx.ReadError("gone")

    with pytest.raises(StreamBroken):
        list(batches(broken())[1])


def test_the_client_is_imported_without_data_frames_and_ray() -> None:
    heavy = "{'pandas', 'polars', 'ray', 'numpy.random', 'fastapi', 'typer'}"
    code = f"import sys, heliograph; heliograph.connect, heliograph.col; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
