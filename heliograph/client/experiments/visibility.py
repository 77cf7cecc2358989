"""How long it takes until what was acknowledged can be read."""

import time

from heliograph.client.experiments.experiment import ExperimentRun
from heliograph.domain.errors import Unavailable
from heliograph.domain.not_found import NotFound

_PAUSE_SECONDS = 0.25


def wait_until_visible(run: ExperimentRun, *, within_seconds: float = 60.0) -> None:
    """Return when the server shows every item and score that this run wrote, so that figures of it are final.

    Raises:
        Unavailable: it does not in time.
    """
    scores = sum(outcome.verdict is not None for one in run.results for outcome in one.outcomes.values())
    deadline = time.monotonic() + within_seconds
    while not _shows(run, len(run.results), scores):
        if time.monotonic() > deadline:
            raise Unavailable("The server's view of the experiment", 1)
        time.sleep(_PAUSE_SECONDS)


def _shows(run: ExperimentRun, items: int, scores: int) -> bool:
    try:
        found = run.summary().answer
    except NotFound:
        return not items
    return found.items >= items and scores <= sum(
        metric.mean.counts.n for metric in found.metrics if metric.kind == "score"
    )
