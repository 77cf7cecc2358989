"""Judge calls a second through litellm against the local provider, and what a call costs of a core.

`python -m tests.benchmarks.judges --workers 2` prints calls a second beside the ideal, which is slots by latency.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from multiprocessing import get_context

from evals.judging.models import Connection, ModelJudge
from heliograph.domain.evaluators import Message

PROMPT = (Message("system", "x" * 400), Message("user", "y" * 600))
SCHEMA = {
    "type": "object",
    "properties": {"reasoning": {"type": "string"}, "score": {"type": "integer"}},
    "required": ["reasoning", "score"],
    "additionalProperties": False,
}


async def _ask(url: str, calls: int, slots: int) -> tuple[float, float]:
    judge = ModelJudge("openai/gpt-4o-mini", Connection("sk-local", url))
    await judge.ask(PROMPT, SCHEMA)
    places = asyncio.Semaphore(slots)

    async def one() -> None:
        async with places:
            await judge.ask(PROMPT, SCHEMA)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one() for _ in range(calls)))
    return time.perf_counter() - wall, time.process_time() - cpu


def measured(given: tuple[str, int, int]) -> tuple[float, float]:
    """Seconds and seconds of a core that one worker takes for its calls."""
    return asyncio.run(_ask(*given))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds")
    parser.add_argument("--port", type=int, default=21_091)
    given = parser.parse_args()
    command = [sys.executable, "-m", "tests.provider", "--port", str(given.port), "--latency", str(given.latency)]
    provider = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert provider.stdout is not None
        url = provider.stdout.readline().strip()
        share = url, given.calls // given.workers, given.slots // given.workers
        with get_context("spawn").Pool(given.workers) as pool:
            found = pool.map(measured, [share] * given.workers)
    finally:
        provider.kill()
    done = share[1] * given.workers
    seconds, cpu = max(wall for wall, _ in found), sum(cpu for _, cpu in found)
    ideal = given.slots / given.latency
    print(f"{done / seconds:,.0f} calls/s, {cpu / done * 1e3:.1f} ms of a core a call; ideal {ideal:,.0f} calls/s")


if __name__ == "__main__":
    main()
