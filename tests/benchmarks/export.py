"""Export: `python -m tests.benchmarks.export` against a running stack.

Spans are loaded, and the client has the server export them to Parquet and fetches the files. The ideal beside it is the
same rows read as an Arrow stream, which nobody writes.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from heliograph.client.connection import Connection, Server
from heliograph.client.project import Project
from heliograph.domain.exports import Manifest
from tests.benchmarks import report
from tests.benchmarks.load import Load, templates
from tests.benchmarks.stack import Stack, connect, until

_SPANS, _CONNECTIONS = 500, 8
_PAYLOADS = ["id", "trace_id", "name", "start_time", "model", "cost", "input", "output", "metadata"]


def exported(stack: Stack, folder: Path, select: list[str] | None) -> tuple[float, float, Manifest]:
    """Seconds until the files were written, until they were fetched, and what they are."""
    target = stack.target
    with Project(Connection(Server(stack.settings.url, target.public_key, target.secret_key))) as project:
        started = time.monotonic()
        export = project.observations(select=select).export()
        export.wait()
        written = time.monotonic() - started
        manifest = export.download(folder)
        return written, time.monotonic() - started, manifest


def streamed(stack: Stack) -> float:
    """Seconds that the rows take as a stream."""
    target = stack.target
    with Project(Connection(Server(stack.settings.url, target.public_key, target.secret_key))) as project:
        started = time.monotonic()
        for _ in project.observations().batches():
            pass
        return time.monotonic() - started


async def run(spans: int) -> Mapping[str, object]:
    """Load, export."""
    stack = await connect("export")
    sent = await Load(stack.target, templates(64, _SPANS), _CONNECTIONS, spans, max_seconds=900).run()
    await until(lambda: stack.arrived() >= sent.acknowledged, 300)
    figures: dict[str, object] = {"spans": sent.acknowledged}
    for title, select in (("without payloads", None), ("with payloads", _PAYLOADS)):
        with tempfile.TemporaryDirectory() as folder:
            written, fetched, manifest = await asyncio.to_thread(exported, stack, Path(folder), select)
        figures |= {
            f"{title}: seconds until written": written,
            f"{title}: seconds until fetched": fetched,
            f"{title}: rows": manifest.rows,
            f"{title}: files": len(manifest.files),
            f"{title}: MB": sum(file.bytes for file in manifest.files) / 1e6,
            f"{title}: a million takes, seconds (at most 60)": 1_000_000 * written / sent.acknowledged,
        }
    return figures | {"ideal: the rows without payloads as a stream, seconds": await asyncio.to_thread(streamed, stack)}


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=100_000)
    report.show("export", asyncio.run(run(parser.parse_args().spans)))


if __name__ == "__main__":
    main()
