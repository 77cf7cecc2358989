"""Observations that arrive in parts: merged field by field, and written as whole rows like any other."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from actors.contribution import observation_contributions, plain_values
from actors.read_back import chunks
from actors.subject_cache import SubjectCache, SubjectKey
from heliograph.domain import tables
from ingestion.batch import gen_ai_events, observations
from ingestion.batch.observations import MergedObservation
from ingestion.merge import MergeState, Part, merge_parts, remerge_parts

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


class Incoming(NamedTuple):
    """What segments bring to observations that are put together from parts.

    Attributes:
        events: in log order.
        held: for whole spans that are to replace such an observation, what it held.
    """

    events: list[Event]
    held: Mapping[_Place, MergeState]


class SpanBelow(NamedTuple):
    """A whole span on which events were merged: what it sets, and its version."""

    state: MergeState
    row_version: int


class PartialObservations:
    """Merges parts into the states of their subjects, which are cached already."""

    def __init__(self, whole_rows: WholeRows, cache: SubjectCache, compose: Compose) -> None:
        self._whole_rows = whole_rows
        self._cache = cache
        self._compose = compose

    def incoming(
        self, segments: Sequence[PlacedParts], spans: Sequence[pa.Table], touched: Iterable[SubjectKey]
    ) -> Incoming:
        """The events of the segments, and what their spans would overwrite; the rows they change are read back."""
        events = [event for segment in segments for event in _events(segment)]
        in_parts = {key: known for key in touched if (known := self._cache[key].in_parts)}
        overwritten = {place for table in spans for place in _places(table, in_parts)} if in_parts else set()
        wanted = self._unknown(events) | {(key, one) for key, one in overwritten if one not in self._cache[key].partial}
        self._load(self._whole_rows_of(sorted(wanted)), wanted)
        return Incoming(events, {(key, one): self._cache[key].partial.get(one, {}) for key, one in overwritten})

    def completed(self, whole: list[pa.Table], incoming: Incoming) -> list[pa.Table]:
        """The rows of spans, and those of the observations that events change, each once, as `tables.OBSERVATIONS`.

        Args:
            whole: the rows of spans.
            incoming: what `incoming` returned before these spans were merged.
        """
        if not incoming.events and not incoming.held:
            return whole
        replaced = {(key, one) for key, one in incoming.held if one not in self._cache[key].partial}
        self._load(whole, self._unknown(incoming.events) | replaced)
        changed: dict[_Place, _Changed] = {}
        for place in replaced:
            self._rejoin(place, incoming.held[place], changed)
        for event in incoming.events:
            self._merge(event, changed)
        if not changed:
            return whole
        rows = self._rows(list(changed.values()))
        # A span to which something was joined has the same version as it had alone.
        return [*(_without(table, rows["row_version"]) for table in whole), rows]

    def _rejoin(self, place: _Place, held: MergeState, changed: dict[_Place, _Changed]) -> None:
        """Joins to a span what logs have said about it; what else it held the span replaces."""
        key, one = place
        state = self._cache[key]
        said = gen_ai_events.said_by_logs(held)
        state.in_parts -= {one}
        of_span = state.partial.pop(one)
        if said:
            state.partial[one] = {**of_span, **said}
            known = state.observations[one]
            changed[place] = _Changed(key, one, known.placed_at, known.created_at, known.updated_at, known.row_version)

    def events(self, parts: PlacedParts) -> list[Event]:
        """The events of parts, with the rows that they change read back."""
        return self.incoming([parts], [], ()).events

    def remerged(
        self, events: Sequence[Event], bases: Mapping[_Place, SpanBelow], spans: pa.Table
    ) -> tuple[pa.Table, set[_Place]]:
        """Rows of observations that are in parts, now that these are all that their events and their spans set.

        Args:
            events: what `events` returned.
            bases: whole spans below later ones, or below events, by observation.
            spans: rows of the same observations that were written before these events.

        Returns:
            The rows, and the observations of which nothing given counts any more: their rows are of a later span.
        """
        self._load([spans], self._unknown(events))
        wanted = {
            (key, one) for key, one in bases if one in self._cache[key].in_parts - self._cache[key].partial.keys()
        }
        self._load(self._whole_rows_of(sorted(wanted)), wanted)
        grouped: dict[_Place, list[Event]] = {place: [] for place in bases}
        for event in events:
            grouped.setdefault((event.key, event.id), []).append(event)
        changed = {place: self._remerge(place, own, bases.get(place)) for place, own in grouped.items()}
        return self._rows([one for one in changed.values() if one]), {
            place for place, one in changed.items() if not one
        }

    def _remerge(self, place: _Place, events: Sequence[Event], base: SpanBelow | None) -> _Changed | None:
        state = self._cache[place[0]]
        known = state.observations.get(place[1])
        if known is None or place[1] not in state.in_parts:
            changed: dict[_Place, _Changed] = {}
            for event in events:
                self._merge(event, changed)
            return changed.get(place)
        remerged = _remerged(state.partial.get(place[1], {}), events, base)
        if remerged is None:
            return None
        state.partial[place[1]] = remerged
        version = max([known.row_version, *(event.row_version for event in events)])
        updated_at = max([known.updated_at, *(event.received_at for event in events)])
        return _Changed(*place, known.placed_at, known.created_at, updated_at, version)

    def _whole_rows_of(self, places: Sequence[_Place]) -> Iterator[pa.Table]:
        for chunk in chunks(places, lambda place: len(place[0][1]) + len(place[1])):
            projects, traces, ids = zip(*((*key, observation) for key, observation in chunk), strict=True)
            yield self._whole_rows.whole_observations(sorted(set(projects)), sorted(set(traces)), sorted(set(ids)))

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
        is_overtaken = known is not None and event.row_version < known.row_version
        if is_overtaken and not gen_ai_events.is_in(event.fields):
            # Already in the row, as a replay finds it; or a whole span has replaced it within this flush.
            return
        parts = _parts(event)
        one = changed.get((event.key, event.id))
        if one is None:
            start = next((int(part.value) for part in parts if part.field == "start_time"), event.stamped_at)
            one = _Changed(event.key, event.id, start, event.received_at)
            if known is not None:
                one.placed_at, one.created_at = known.placed_at, known.created_at
            changed[event.key, event.id] = one
            state.propose_place(one.placed_at, one.created_at, event.row_version)
        state.partial[event.id] = merge_parts(state.partial.get(event.id, {}), parts)
        one.updated_at = max(one.updated_at, event.received_at)
        one.row_version = max(event.row_version, known.row_version if is_overtaken and known else 0)

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
            state = self._cache[one.key]
            state.observations[one.id] = contribution
            state.in_parts |= {one.id}
        return rows


def _parts(event: Event) -> list[Part]:
    return list(observations.parts_of(event.fields, event.stamped_at, event.stamp_id))


def _remerged(before: MergeState, events: Sequence[Event], base: SpanBelow | None) -> MergeState | None:
    """The state with what its events and its span set today; None when there is nothing of them in it."""
    lies_on = observations.span_below(before)
    if base is not None and lies_on not in {0, base.row_version}:
        # A later span has taken its place.
        base = None
    # What lies below a span has gone with it, but for what logs said.
    floor = base.row_version if base else lies_on or 0
    counting = [event for event in events if event.row_version > floor or gen_ai_events.is_in(event.fields)]
    parts = [part for event in counting for part in _parts(event)]
    if base is not None:
        before = {name: part for name, part in before.items() if part.stamp_id}
        parts += [Part(name, part.value, part.stamped_at, part.stamp_id) for name, part in base.state.items()]
    return remerge_parts(before, parts) if parts else None


def _places(spans: pa.Table, among: Mapping[SubjectKey, frozenset[str]]) -> Iterator[_Place]:
    """Those of the spans that are among the observations."""
    columns = (spans[name].to_pylist() for name in ("project_id", "trace_id", "id"))
    for project_id, trace_id, one in zip(*columns, strict=True):
        if one in among.get((project_id, trace_id), ()):
            yield (project_id, trace_id), one


def _without(rows: pa.Table, versions: pa.ChunkedArray) -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows["row_version"], versions.combine_chunks()))) if rows.num_rows else rows


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
