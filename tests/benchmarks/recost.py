"""Recost: `python -m tests.benchmarks.recost` against a running stack.

Spans are loaded, a price changes, and `heliograph recost` shows what that costs and stores it: once on trial,
once for good, once with nothing left to change. The ideal beside it is what the same stack takes to store new spans.
"""

import argparse
import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.models import Model, PricingTier
from storage.postgres.connection import opened
from storage.postgres.models import Models
from tests.benchmarks import report
from tests.benchmarks.load import Load, templates
from tests.benchmarks.stack import Stack, connect, until

_SPANS, _CONNECTIONS = 500, 8
# Every priced call of the load gets another price.
_DEARER = Model("", "any", ".", (PricingTier("Standard", {"input": 5 * 10**9, "output": 2 * 10**10}),))
_COMMAND = str(Path(sys.executable).with_name("heliograph"))


def run_command(stack: Stack, *options: str) -> tuple[float, str]:
    """Seconds that the command took, and what it printed."""
    started = time.monotonic()
    arguments = [_COMMAND, "recost", "--project", stack.project_id, *options]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return time.monotonic() - started, done.stdout


def written(printed: str) -> int:
    """How many observations the command says that it stored."""
    found = re.search(r"^([\d,]+) observations", printed, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else 0


async def run(spans: int) -> Mapping[str, object]:
    """Load, change a price, recost."""
    stack = await connect("recost")
    sent = await Load(stack.target, templates(64, _SPANS), _CONNECTIONS, spans, max_seconds=900).run()
    await until(lambda: stack.arrived() >= sent.acknowledged, 300)
    async with opened(stack.settings.postgres_dsn) as database:
        await Models(database, ProjectId(stack.project_id)).create(_DEARER)
    before = stack.stored()
    trial_seconds, trial = await asyncio.to_thread(run_command, stack, "--dry-run")
    unchanged = stack.stored() == before
    seconds, printed = await asyncio.to_thread(run_command, stack)
    after = stack.stored()
    again_seconds, again = await asyncio.to_thread(run_command, stack)
    (total,) = re.findall(r"^all .*\$([\d,.]+)\s*$", trial, re.MULTILINE)
    return {
        "spans": sent.acknowledged,
        "trial seconds": trial_seconds,
        "recost seconds": seconds,
        "recost that changes nothing, seconds": again_seconds,
        "recost spans/s": sent.acknowledged / seconds,
        "ideal: bulk load, spans/s": sent.acknowledged / sent.seconds,
        "a million takes, seconds (at most 60)": 1_000_000 * seconds / sent.acknowledged,
        "trial changed nothing": unchanged,
        "written": written(printed),
        "written by the second": written(again),
        "cost before": before[2],
        "cost after": after[2],
        "cost after - cost foretold": Decimal(after[2]) - Decimal(total.replace(",", "")),
        "spans and traces kept": after[:2] == before[:2],
    }


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=100_000)
    report.show("recost", asyncio.run(run(parser.parse_args().spans)))


if __name__ == "__main__":
    main()
