"""Python's cycle collector in an ingestion replica: it finds nothing there, and costs much."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Decoded requests are trees that reference counts free at once. With the default thresholds the collector walked them
# while they grew: 13 MB of JSON took 155 ms instead of 43, with the GIL and so the event loop held.
_RARE = (50_000, 20, 100)


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Collect seldom, and never look again at what the start has loaded."""
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_RARE)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
