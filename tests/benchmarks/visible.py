"""Time to visible under load: `python -m tests.benchmarks.visible --rate 10000` against a running stack.

While bulk load runs at a given rate, single traces are sent and read back through the API; the time from the start of
the request to the first answer that holds the span is what a user waits.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping

import httpx

from tests.benchmarks import report
from tests.benchmarks.load import PATH, Load, Sent, Target, templates
from tests.benchmarks.stack import connect

_PROBE_PAUSE_SECONDS = 0.25
_POLL_SECONDS = 0.03
_GIVE_UP_SECONDS = 30.0


async def probe(client: httpx.AsyncClient, target: Target) -> float:
    """Send one trace and wait until the API returns it; seconds."""
    (template,) = templates(1, 1, seed=time.monotonic_ns())
    body = template.copy()
    trace_id = body[template.trace_offsets[0] :][:16].hex()
    started = time.monotonic()
    answer = await client.post(PATH, content=body, headers={"content-type": "application/x-protobuf"})
    answer.raise_for_status()
    while time.monotonic() - started < _GIVE_UP_SECONDS:
        found = await client.get("/api/public/v2/observations", params={"traceId": trace_id, "limit": 1})
        found.raise_for_status()
        if found.json()["data"]:
            return time.monotonic() - started
        await asyncio.sleep(_POLL_SECONDS)
    raise TimeoutError(target.url)


async def run(rate: float, seconds: float) -> Mapping[str, object]:
    """Probe while the load runs."""
    stack = await connect("visible")
    load = Load(stack.target, templates(64, 500), 8, max_spans=10**9, max_seconds=seconds, spans_per_second=rate)
    running = asyncio.create_task(load.run())
    waits: list[float] = []
    login = (stack.target.public_key, stack.target.secret_key)
    async with httpx.AsyncClient(base_url=stack.target.url, auth=login, timeout=60) as client:
        await asyncio.sleep(3)
        while not running.done():
            waits.append(await probe(client, stack.target))
            await asyncio.sleep(_PROBE_PAUSE_SECONDS)
    sent = running.result()
    ordered = Sent(latencies=waits)
    return {
        "load spans/s": sent.acknowledged / sent.seconds,
        "probes": len(waits),
        "visible p50 s": ordered.percentile(0.5),
        "visible p95 s": ordered.percentile(0.95),
        "visible max s": max(waits),
    }


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=8_000, help="spans per second of the load")
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    report.show("time to visible", asyncio.run(run(arguments.rate, arguments.seconds)))


if __name__ == "__main__":
    main()
