"""What of the cluster pipelines work with."""

import os

import ray


def processors() -> int:
    """How many processors the cluster has, or this machine where there is none: so many parts are worked on at once."""
    if not ray.is_initialized():
        return os.cpu_count() or 1
    resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))
