"""Ten thousand hostile payloads: `python -m tests.benchmarks.hostile` against a running stack.

OTLP as protobuf and as JSON, batches of events, and all of them damaged. No answer may be the server's fault, the plain
neighbour in each sound payload must be accepted, and whatever was accepted must be read through the API.
"""

import argparse
import asyncio
import base64
import json
import sys
from collections.abc import Iterable

from tests.benchmarks import report
from tests.benchmarks.hostile.delivery import run
from tests.benchmarks.hostile.payloads import Payload

_SHOWN, _SHOWN_BYTES = 5, 3_000


def _show(title: str, found: Iterable[tuple[Payload, str]]) -> None:
    for payload, said in list(found)[:_SHOWN]:
        body = base64.b64encode(payload.body[:_SHOWN_BYTES]).decode()
        print(f"{title}: {json.dumps({'kind': payload.kind, 'said': said[:300], 'body': body})}", file=sys.stderr)


def main() -> None:
    """Read the arguments, run, print; fails if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payloads", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    outcome = asyncio.run(run(arguments.payloads, arguments.seed))
    _show("fault", outcome.answers.faults)
    _show("refused", outcome.answers.refused)
    _show("lost", [(outcome.answers.promised[one], one) for one in outcome.lost])
    report.show("hostile payloads", outcome.figures)
    sys.exit(not outcome.is_sound)


if __name__ == "__main__":
    main()
