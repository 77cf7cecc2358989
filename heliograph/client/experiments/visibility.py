"""How long it takes until what was acknowledged can be read."""

import time

from heliograph.client.experiments.experiment import ExperimentRun
from heliograph.domain.errors import Unavailable
from heliograph.domain.not_found import NotFound

_PAUSE_SECONDS = 0.25


def wait_until_visible(run: ExperimentRun, *, within_seconds: float = 30.0) -> None:
    """Return when the server shows every score that this run wrote, so that figures of it are final.

    Raises:
        Unavailable: it does not in time.
    """
    wanted = sum(outcome.verdict is not None for one in run.results for outcome in one.outcomes.values())
    deadline = time.monotonic() + within_seconds
    while _shown(run) < wanted:
        if time.monotonic() > deadline:
            raise Unavailable("The server's view of the experiment", 1)
        time.sleep(_PAUSE_SECONDS)


def _shown(run: ExperimentRun) -> int:
    try:
        return sum(metric.mean.counts.n for metric in run.summary().answer.metrics if metric.kind == "score")
    except NotFound:
        return 0
