"""What a running stack has still to do, read from its own metrics."""

from collections import defaultdict

import httpx
from prometheus_client.parser import text_string_to_metric_families

from heliograph.domain import lane_backlog
from heliograph.domain.lane_backlog import Backlog
from heliograph.settings import Settings

_TIMEOUT_SECONDS = 5


def read(settings: Settings) -> Backlog:
    """Ask the running stack."""
    headers = {"authorization": f"Bearer {settings.metrics_token}"} if settings.metrics_token else {}
    try:
        answer = httpx.get(f"{settings.url}/metrics", headers=headers, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        return Backlog(unknown_because=f"{settings.url}/metrics: {error}".splitlines()[0])
    return backlog_of(answer.text)


def backlog_of(text: str) -> Backlog:
    """Read the backlog out of the metrics."""
    by_lane: dict[str, dict[str, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if set(sample.labels) == {"lane"}:
                by_lane[sample.labels["lane"]][sample.name] = sample.value
    return lane_backlog.backlog_of(by_lane)
