"""What of the cluster pipelines work with."""

import os

import ray


def processors() -> int:
    """How many processors the cluster has, or this machine where there is none: so many parts are worked on at once."""
    if not ray.is_initialized():
        return os.cpu_count() or 1
    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    told = max(1, int(sum(node["Resources"].get("CPU", 0) for node in nodes)))
    # A cluster of one machine has 64 by its own account, for its many small actors.
    return min(told, os.cpu_count() or 1) if len(nodes) == 1 else told
