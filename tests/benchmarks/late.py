"""Late and repeated spans: `python -m tests.benchmarks.late` against a running stack.

First plain bulk load, which is the yardstick and fills the cache; then the same load, in which a tenth of the spans
belong to traces that were evicted long ago and a hundredth are sent again with other usage. At the end every sum is
recomputed from the raw log.
"""

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain import tables
from heliograph.domain.identifiers import LaneNumber
from ingestion import replay
from ingestion.pricing import managed_prices
from storage.objects import connection as objects
from storage.objects.raw_log import RawLog
from tests.benchmarks import report
from tests.benchmarks.load import SPANS_PER_TRACE, Load, Template, templates
from tests.benchmarks.stack import MemoryWatch, Stack, connect, until

_SPANS = 500
_CONNECTIONS = 8
# Traces of a request that are old ones: five for late spans, and one of which five spans are sent again.
_LATE_TRACES = 5
_RESENT_SPANS = 5


@dataclass
class History:
    """The ids of everything sent so far; only what is older than the cache can hold counts as old."""

    plain_requests: int
    sent: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def old(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
        """The ids of a request sent long ago, or nothing yet."""
        known = len(self.sent) - self.plain_requests
        return self.sent[int(generator.integers(0, known))] if known > 0 else None


@dataclass
class LateTemplate:
    """A template whose copies partly speak of old traces, once there are some."""

    template: Template
    history: History

    @property
    def spans(self) -> int:
        """See Request.spans."""
        return self.template.spans

    def copy(self) -> bytes:
        """See Request.copy."""
        traces, spans = self.template.fresh_ids()
        old = self.history.old(self.template.generator)
        self.history.sent.append((traces.copy(), spans.copy()))
        if old is not None:
            chosen = self.template.generator.choice(len(traces), _LATE_TRACES + 1, replace=False)
            traces[:_LATE_TRACES] = old[0][chosen[:_LATE_TRACES]]
            again, first = chosen[-1], _LATE_TRACES * SPANS_PER_TRACE + 1
            traces[_LATE_TRACES] = old[0][again]
            source = again * SPANS_PER_TRACE + 1
            spans[first : first + _RESENT_SPANS] = old[1][source : source + _RESENT_SPANS]
        return self.template.filled(traces, spans)


def recomputed(stack: Stack) -> tuple[int, int, Decimal]:
    """Observations, traces and cost of the project, from the raw log alone."""
    client = objects.connect(stack.settings.s3, stack.settings.s3_url)
    kept: dict[tuple[str, str], int] = {}
    prices = managed_prices()
    for number in range(stack.settings.lanes.count):
        log = RawLog(client, stack.settings.s3.bucket, LaneNumber(number))
        for listed in log.segments_after(None):
            records = log.read(listed.position) if not listed.is_seal else tables.RECORDS.empty_table()
            mine = records.filter(pc.equal(records["project_id"], stack.project_id))
            if mine.num_rows:
                kept.update(_costs(replay.map_records(mine, prices=prices).observations))
    traces = {trace_id for trace_id, _ in kept}
    return len(kept), len(traces), Decimal(sum(kept.values())).scaleb(-12)


def _costs(rows: pa.Table) -> dict[tuple[str, str], int]:
    ids = zip(rows["trace_id"].to_pylist(), rows["id"].to_pylist(), strict=True)
    return dict(zip(ids, (int(cost.scaleb(12)) for cost in rows["total_cost"].to_pylist()), strict=True))


async def run(plain: int, late: int) -> Mapping[str, object]:
    """Plain load, late load, and the recomputation."""
    stack = await connect("late")
    history = History(plain // _SPANS)
    requests = [LateTemplate(template, history) for template in templates(64, _SPANS)]
    memory = MemoryWatch()
    yardstick = await Load(stack.target, requests, _CONNECTIONS, plain, max_seconds=600).run()
    await until(lambda: stack.arrived() >= yardstick.acknowledged, 300)
    measured = Load(stack.target, requests, _CONNECTIONS, late, max_seconds=600).run()
    sent = await memory.watched(measured)
    rates = yardstick.acknowledged / yardstick.seconds, sent.acknowledged / sent.seconds
    expected = await asyncio.to_thread(recomputed, stack)
    seconds = await until(lambda: stack.stored()[0] >= expected[0], 300)
    observations, traces, cost = stack.stored()
    return {
        "plain spans/s": rates[0],
        "late spans/s": rates[1],
        "late / plain": rates[1] / rates[0],
        "spans acknowledged": yardstick.acknowledged + sent.acknowledged,
        "seconds until stored, after the recomputation": seconds,
        "observations stored - recomputed": observations - expected[0],
        "traces stored - recomputed": traces - expected[1],
        "cost stored - recomputed": Decimal(cost) - expected[2],
        "peak PSS MB": memory.megabytes(),
    }


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plain", type=int, default=250_000)
    parser.add_argument("--late", type=int, default=250_000)
    arguments = parser.parse_args()
    report.show("late spans", asyncio.run(run(arguments.plain, arguments.late)))


if __name__ == "__main__":
    main()
