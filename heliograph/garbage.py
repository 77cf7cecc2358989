"""Python's cycle collector in the processes of the ingestion path: it finds nothing there, and costs much."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Decoded requests are trees that reference counts free at once. With the default thresholds the collector walked them
# while they grew: 13 MB of JSON took 155 ms instead of 43, with the GIL and so the event loop held. A lane's cache is
# hundreds of thousands of plain tuples without a cycle.
_RARE = (50_000, 20, 100)


def collect_rarely() -> None:
    """Collect seldom from now on, and never look again at what the start has loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_RARE)


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Collect rarely for as long as the block runs."""
    usual = gc.get_threshold()
    collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
