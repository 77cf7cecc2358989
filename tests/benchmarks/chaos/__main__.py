"""Chaos: `python -m tests.benchmarks.chaos --rounds 2 --faults lane,clickhouse` on a running stack, or on its own.

Two clients send while each fault is injected: OpenTelemetry's exporter as it comes, which gives a batch up after ten
seconds (counted apart), and one of ours that sends again until it is told that its spans are durable.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from heliograph.settings import Settings
from storage.clickhouse.connection import connect_blocking
from tests.benchmarks import report
from tests.benchmarks.chaos import rounds
from tests.benchmarks.chaos.faults import FAULTS, Processes
from tests.benchmarks.chaos.rounds import Outcome


def _row(name: str, outcomes: Sequence[Outcome]) -> dict[str, object]:
    """All rounds of one fault: sums of what must be 0, and the longest time."""
    return {
        "fault": name,
        "rounds": len(outcomes),
        "acknowledged": sum(one.acknowledged for one in outcomes),
        "visible": sum(one.visible for one in outcomes),
        "lost": sum(one.lost for one in outcomes),
        "doubled": sum(one.doubled for one in outcomes),
        "cost error": sum(one.cost_error for one in outcomes),
        "traces disagreeing": sum(one.disagreeing for one in outcomes),
        "unknown": sum(one.unknown for one in outcomes),
        "refused": sum(one.refused for one in outcomes),
        "given up by the exporter": sum(one.given_up for one in outcomes),
        "acknowledges again, s": max(at for one in outcomes for at in one.acknowledges_again),
        "all visible, s": max(at for one in outcomes for at in one.all_visible),
    }


async def _run(names: Sequence[str], count: int, rate: float, *, stop_merges: bool) -> bool:
    settings = Settings()
    table: list[dict[str, object]] = []
    is_exact = True
    for name in names:
        outcomes: list[Outcome] = []
        for number in range(count):
            outcomes.append(await rounds.run(FAULTS[name], settings, rate=rate, stop_merges=stop_merges))
            sys.stderr.write(f"{name} {number + 1}/{count}: {outcomes[-1]}\n")
        table.append(_row(name, outcomes))
        is_exact = is_exact and all(one.is_exact for one in outcomes)
    if stop_merges:
        connect_blocking(settings.clickhouse, settings.clickhouse_url).command("SYSTEM START MERGES")
    report.show_rows("chaos without merges" if stop_merges else "chaos", table)
    return is_exact


def main() -> None:
    """Read the arguments, run, print; the exit code tells whether every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"some of {', '.join(FAULTS)}")
    parser.add_argument("--rate", type=float, default=1_000, help="spans a second, of both clients together")
    parser.add_argument("--stop-merges", action="store_true", help="ClickHouse merges no parts meanwhile")
    arguments = parser.parse_args()
    names = arguments.faults.split(",")
    if unknown := set(names) - FAULTS.keys():
        parser.error(f"no such fault: {', '.join(unknown)}")
    processes = Processes(Settings())
    is_own = processes.status is None
    if is_own:
        processes.up()
    try:
        is_exact = asyncio.run(_run(names, arguments.rounds, arguments.rate, stop_merges=arguments.stop_merges))
    finally:
        if is_own:
            processes.down()
    sys.exit(not is_exact)


if __name__ == "__main__":
    main()
