"""Where events came from: a project and the facts of their arrival, told once for neighbours that share them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from heliograph.domain.events import IngestionFacts
from heliograph.domain.identifiers import ProjectId
from ingestion.attributes import timing
from ingestion.rows import Columns


@dataclass(frozen=True)
class Source:
    """Where neighbouring events came from and when.

    Attributes:
        project_id: the project of all of them.
        facts: how all of them arrived.
        received_at: when each of them did, in microseconds.
    """

    project_id: ProjectId
    facts: IngestionFacts
    received_at: timing.Times

    def __len__(self) -> int:
        return len(self.received_at)


def received_at(sources: Sequence[Source]) -> timing.Times:
    """The time of receipt of each event, in microseconds."""
    return sources[0].received_at if len(sources) == 1 else np.concatenate([source.received_at for source in sources])


def each(sources: Sequence[Source], read: Callable[[Source], str]) -> list[str]:
    """What each event's source says."""
    return [value for source in sources for value in repeat(read(source), len(source))]


def put_shared(columns: Columns, name: str, sources: Sequence[Source], *, read: Callable[[Source], str]) -> None:
    """Sets a column of events to what each one's source says."""
    everyone = range(columns.count)
    if len(sources) == 1:
        columns.fill(name, everyone, read(sources[0]))
    else:
        columns.put(name, everyone, each(sources, read))


def put_arrival(columns: Columns, sources: Sequence[Source]) -> None:
    """Sets the columns of rows, one for each event, that tell their project, key and SDK."""
    for name, read in _ARRIVAL.items():
        put_shared(columns, name, sources, read=read)


_ARRIVAL: dict[str, Callable[[Source], str]] = {
    "project_id": lambda source: source.project_id,
    "ingestion_api_key": lambda source: source.facts.public_key,
    "ingestion_sdk_name": lambda source: source.facts.sdk_name,
    "ingestion_sdk_version": lambda source: source.facts.sdk_version,
}
