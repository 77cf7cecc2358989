"""Observations that arrive in parts: merged field by field, and written as whole rows like any other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from actors.contribution import observation_contributions, plain_values
from actors.read_back import chunks
from actors.subject_cache import SubjectCache, SubjectKey
from heliograph.domain import tables
from ingestion.batch import observations
from ingestion.batch.observations import MergedObservation
from ingestion.merge import merge_parts

_Place = tuple[SubjectKey, str]
Compose = Callable[[Sequence[MergedObservation]], pa.Table]


class WholeRows(Protocol):
    """Where the rows of observations come from whose parts are not cached; see `Contributions`."""

    def whole_observations(
        self, projects: Sequence[str], trace_ids: Sequence[str], ids: Sequence[str], /
    ) -> pa.Table: ...


class PlacedParts(NamedTuple):
    """The parts of one segment with what the lane knows of each: when it was received, and its version."""

    parts: pa.Table
    received_at: np.ndarray
    row_version: np.ndarray


@dataclass
class _Changed:
    """An observation that parts have changed. The first part tells where a new one lies."""

    key: SubjectKey
    id: str
    placed_at: int
    created_at: int
    updated_at: int = 0
    row_version: int = 0


class Event(NamedTuple):
    """One event on one observation."""

    key: SubjectKey
    id: str
    fields: str
    stamped_at: int
    stamp_id: str
    received_at: int
    row_version: int


class PartialObservations:
    """Merges parts into the states of their subjects, which are cached already."""

    def __init__(self, whole_rows: WholeRows, cache: SubjectCache, compose: Compose) -> None:
        self._whole_rows = whole_rows
        self._cache = cache
        self._compose = compose

    def events(self, segments: Sequence[PlacedParts]) -> list[Event]:
        """The events of the segments, in log order, with the rows that they change read back."""
        events = [event for segment in segments for event in _events(segment)]
        wanted = self._unknown(events)
        for chunk in chunks(sorted(wanted), lambda place: len(place[0][1]) + len(place[1])):
            projects, traces, ids = zip(*((*key, observation) for key, observation in chunk), strict=True)
            read = self._whole_rows.whole_observations(sorted(set(projects)), sorted(set(traces)), sorted(set(ids)))
            self._load([read], wanted)
        return events

    def rows(self, events: Sequence[Event], whole: Sequence[pa.Table]) -> pa.Table:
        """Whole rows of the observations that the events change, each once, as `tables.OBSERVATIONS`.

        Args:
            events: what `events` returned, before the spans of the same segments were merged.
            whole: the rows of these spans.
        """
        if not events:
            return tables.empty(tables.OBSERVATIONS)
        self._load(whole, self._unknown(events))
        changed: dict[_Place, _Changed] = {}
        for event in events:
            self._merge(event, changed)
        return self._rows(list(changed.values()))

    def _unknown(self, events: Iterable[Event]) -> set[_Place]:
        """Observations that have a row, but no parts in their state."""
        return {
            (event.key, event.id)
            for event in events
            if event.id in (state := self._cache[event.key]).observations and event.id not in state.partial
        }

    def _load(self, rows: Iterable[pa.Table], wanted: set[_Place]) -> None:
        for (key, observation), row in _by_observation(rows, wanted):
            self._cache[key].partial[observation] = observations.load(row)

    def _merge(self, event: Event, changed: dict[_Place, _Changed]) -> None:
        state = self._cache[event.key]
        known = state.observations.get(event.id)
        if known is not None and event.row_version < known.row_version:
            # Already in the row, as a replay finds it; or a whole span has replaced it within this flush.
            return
        parts = list(observations.parts_of(event.fields, event.stamped_at, event.stamp_id))
        one = changed.get((event.key, event.id))
        if one is None:
            start = next((int(part.value) for part in parts if part.field == "start_time"), event.stamped_at)
            one = _Changed(event.key, event.id, start, event.received_at)
            if known is not None:
                one.placed_at, one.created_at = known.placed_at, known.created_at
            changed[event.key, event.id] = one
            state.propose_place(one.placed_at, one.created_at, event.row_version)
        state.partial[event.id] = merge_parts(state.partial.get(event.id, {}), parts)
        one.updated_at, one.row_version = max(one.updated_at, event.received_at), event.row_version

    def _rows(self, changed: Sequence[_Changed]) -> pa.Table:
        merged = [MergedObservation(*one.key, one.id, self._cache[one.key].partial[one.id]) for one in changed]
        rows = self._compose(merged).drop_columns(["record"])
        for name in tables.LANE_COLUMNS:
            field = tables.OBSERVATIONS.field(name)
            # Times are given in microseconds.
            column = pa.array([getattr(one, name) for one in changed], pa.uint64()).cast(pa.int64())
            rows = rows.append_column(field, column.cast(field.type))
        rows = rows.cast(tables.OBSERVATIONS)
        for one, contribution in zip(changed, observation_contributions(rows), strict=True):
            self._cache[one.key].observations[one.id] = contribution
        return rows


def _events(segment: PlacedParts) -> Iterator[Event]:
    parts = segment.parts
    keys = zip(parts["project_id"].to_pylist(), parts["trace_id"].to_pylist(), strict=True)
    columns = (plain_values(parts[name]) for name in ("id", "fields", "stamped_at", "stamp_id"))
    return map(
        Event._make,
        zip(keys, *columns, segment.received_at.tolist(), segment.row_version.tolist(), strict=True),
    )


def _by_observation(rows: Iterable[pa.Table], wanted: set[_Place]) -> Iterator[tuple[_Place, dict[str, Any]]]:
    """The wanted rows as plain values; of one that is there twice the later one comes last."""
    ids = pa.array({observation for _, observation in wanted}, tables.TEXT)
    for table in rows:
        chosen = table.filter(pc.is_in(table["id"], ids))
        names = chosen.column_names
        for values in zip(*(plain_values(chosen[name]) for name in names), strict=True):
            row = dict(zip(names, values, strict=True))
            place = ((row["project_id"], row["trace_id"]), row["id"])
            if place in wanted:
                yield place, row
