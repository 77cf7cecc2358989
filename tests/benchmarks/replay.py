"""Replay: `python -m tests.benchmarks.replay` against a running stack.

Bulk load is the yardstick. Then a price changes, and the command `heliograph replay` maps everything again: once on
trial, once killed with -9 in the middle and given again, once more with nothing left to change. At the end the cost is
recomputed from the raw log.
"""

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.models import Model, PricingTier
from storage.postgres.connection import Database
from storage.postgres.models import Models
from storage.postgres.replays import Replays
from tests.benchmarks import report
from tests.benchmarks.load import Load, templates
from tests.benchmarks.stack import Stack, connect, until

_SPANS, _CONNECTIONS = 500, 8
# A quarter of the load's calls name it.
_DEARER = Model("", "gpt-4o", "^gpt-4o$", (PricingTier("Standard", {"input": 5 * 10**9, "output": 2 * 10**10}),))
_COMMAND = str(Path(sys.executable).with_name("heliograph"))


def command(stack: Stack, *options: str) -> subprocess.Popen[str]:
    """The command, started."""
    arguments = [_COMMAND, "replay", "--project", stack.project_id, *options]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run_command(stack: Stack, *options: str) -> tuple[float, str]:
    """Seconds that the command took, and what it printed."""
    started = time.monotonic()
    process = command(stack, *options)
    printed, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(printed)
    return time.monotonic() - started, printed


def shown(printed: str, name: str) -> int:
    """One of the counts that the command printed."""
    found = re.search(rf"^{re.escape(name)} +([\d,]+)", printed, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else 0


async def killed(stack: Stack, parts_done: int) -> int:
    """Start the command and kill it with -9 once some parts are done; how many were."""
    process = command(stack)
    database = Database(stack.settings.postgres_dsn)
    try:
        while True:
            unfinished = await Replays(database).unfinished(ProjectId(stack.project_id), None, None, is_trial=False)
            done = len(await Replays(database).done(unfinished.id)) if unfinished else 0
            if done >= parts_done or process.poll() is not None:
                break
            await asyncio.sleep(0.1)
    finally:
        await database.close()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return done


async def run(spans: int) -> Mapping[str, object]:
    """Load, change a price, replay."""
    stack = await connect("replay")
    sent = await Load(stack.target, templates(64, _SPANS), _CONNECTIONS, spans, max_seconds=900).run()
    await until(lambda: stack.arrived() >= sent.acknowledged, 300)
    database = Database(stack.settings.postgres_dsn)
    await Models(database, ProjectId(stack.project_id)).create(_DEARER)
    await database.close()
    before = stack.stored()
    trial_seconds, trial = await asyncio.to_thread(run_command, stack, "--dry-run")
    unchanged = stack.stored() == before
    started = time.monotonic()
    done = await killed(stack, spans // 16_000 // 2)
    killed_seconds = time.monotonic() - started
    resumed_seconds, resumed = await asyncio.to_thread(run_command, stack)
    after = stack.stored()
    again_seconds, again = await asyncio.to_thread(run_command, stack)
    rate = sent.acknowledged / sent.seconds
    return {
        "spans": sent.acknowledged,
        "bulk spans/s": rate,
        "trial spans/s": sent.acknowledged / trial_seconds,
        "replay spans/s, killed once": sent.acknowledged / (killed_seconds + resumed_seconds),
        "replay / bulk": sent.acknowledged / (killed_seconds + resumed_seconds) / rate,
        "replay that changes nothing, spans/s": sent.acknowledged / again_seconds,
        "replay that changes nothing / bulk": sent.acknowledged / again_seconds / rate,
        "parts done when killed": done,
        "trial changed nothing": unchanged,
        "changed, on trial": shown(trial, "changed"),
        "changed": shown(resumed, "changed"),
        "written": shown(resumed, "written"),
        "changed by the second": shown(again, "changed"),
        "cost before": before[2],
        "cost after": after[2],
        "cost after - cost of the second": Decimal(after[2]) - Decimal(stack.stored()[2]),
        "spans and traces kept": after[:2] == before[:2],
    }


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    report.show("replay", asyncio.run(run(parser.parse_args().spans)))


if __name__ == "__main__":
    main()
