"""Arrow streams as tables, for those who need a result whole."""

from collections.abc import AsyncIterator

import pyarrow as pa


async def read_stream(chunks: AsyncIterator[bytes]) -> pa.Table:
    """The table in a stream, which must fit into memory; raises what the stream raises."""
    content = b"".join([chunk async for chunk in chunks])
    return pa.ipc.open_stream(pa.BufferReader(content)).read_all()
