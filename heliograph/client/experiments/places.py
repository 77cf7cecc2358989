"""In which trace and span an item runs."""

from hashlib import sha256

from heliograph.client.experiments.items import Run


def trace_of(run: Run, item_id: str) -> str:
    """The trace of an item: an item that runs again, since nobody knows how it ended, takes the place of its first."""
    return sha256(f"{run.id}\0{item_id}".encode()).hexdigest()[:32]


def span_of(trace_id: str) -> str:
    """The span in which the item of a trace ran."""
    return sha256(trace_id.encode()).hexdigest()[:16]
