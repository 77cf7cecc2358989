"""One part of a replay: records of neighbouring subjects mapped again, compared with what is stored, and stored anew.

Without Ray. See docs/decisions/0010.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from actors.generations import Generations
from actors.merge import score_keys
from actors.remap_stage import Remade
from heliograph.domain import costs, tables
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import GENERATION_BITS, ORDINAL_BITS, SEGMENT_BITS
from heliograph.domain.remapping import Remapped
from heliograph.domain.replays import ReplayReport
from ingestion import replay
from ingestion.oversized import taken_out
from ingestion.pricing import PriceBooks
from pipelines.comparison import Mask, differences, places

# Whatever is handed to a lane crosses a process boundary, and its rows a flush.
_RECORDS_AT_ONCE = 4_000
_NOT_COMPARED = {*tables.LANE_COLUMNS}
_NONE = np.zeros(0, np.int64)
_DAY = 86_400 * 10**6
# The tables' days end with the year 2148.
_LAST_MOMENT = 5_600_000_000 * 10**6
_GENERATION_MASK = (1 << GENERATION_BITS) - 1


class StoredRows(Protocol):
    """What is stored of the project; see `WholeRows`."""

    def observations(self, trace_ids: Sequence[str], placed: tuple[datetime, datetime] | None = None) -> pa.Table: ...

    def scores(self, ids: Sequence[str]) -> pa.Table: ...

    def traces(self, ids: Sequence[str]) -> pa.Table: ...


class Lanes(Protocol):
    """The lanes that own the project's subjects. Raises Unavailable when one cannot be reached for long."""

    async def remap(self, remapped: Remapped, *, is_trial: bool) -> list[Remade]:
        """Hand records to the lanes that own their subjects."""
        ...


@dataclass
class _Findings:
    counts: Counter[str] = field(default_factory=Counter)
    columns: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    cost_before: int = 0
    cost_after: int = 0

    def report(self) -> ReplayReport:
        return ReplayReport(
            dict(self.counts), dict(self.columns), dict(self.unreadable), self.cost_before, self.cost_after
        )


class Examined(NamedTuple):
    """What a part found, and the numbers of the records that lanes are to store anew."""

    report: ReplayReport
    remapped: Remapped
    changed: npt.NDArray[np.int64]


class ReplayPart:
    """Examines, and stores, records of one project."""

    def __init__(
        self,
        project_id: ProjectId,
        stored: StoredRows,
        lanes: Lanes,
        *,
        generations: Mapping[LaneNumber, Generations],
        max_bytes: int,
    ) -> None:
        self._project_id = project_id
        self._stored = stored
        self._lanes = lanes
        self._generations = generations
        self._max_bytes = max_bytes

    async def examine(self, archived: pa.Table, prices: PriceBooks) -> Examined:
        """Map records and find out what that changes. Nothing is stored.

        Args:
            archived: all records of some subjects that are replayed, as `tables.ARCHIVED_RECORDS`.
            prices: of today.

        Raises:
            Unavailable: a store or a lane did not answer.
        """
        remapped = self._mapped(archived, prices)
        found = _Findings()
        _count_unreadable(remapped.batch, found)
        # Rows hold previews of what is too large for them; lanes are given the whole.
        light = remapped._replace(batch=taken_out(remapped.batch, self._max_bytes)[0])
        changed = [self._spans(light, found), self._scores(light, found)]
        # What lanes merge, only they can tell; and whether what is not stored was deleted.
        asked = np.unique(np.concatenate([*(one.asked for one in changed), _in_parts(remapped.batch)]))
        merged = await self._merged(remapped, asked, found)
        return Examined(
            found.report(), remapped, np.unique(np.concatenate([*(one.changed for one in changed), merged]))
        )

    async def store(self, examined: Examined) -> ReplayReport:
        """Have the lanes store what has changed; what has been changed again meanwhile is left alone."""
        counts: Counter[str] = Counter()
        for chosen in _by_subject(examined.remapped.batch, examined.changed):
            for one in await self._lanes.remap(examined.remapped.of(chosen), is_trial=False):
                counts.update({"written": one.counts.written, "traces": one.counts.traces, "newer": one.counts.newer})
        return ReplayReport(dict(counts))

    def _mapped(self, archived: pa.Table, prices: PriceBooks) -> Remapped:
        lanes, segments, ordinals = (archived[name].to_numpy() for name in ("lane", "segment", "ordinal"))
        versions = segments.astype(np.uint64) << np.uint64(ORDINAL_BITS) | ordinals.astype(np.uint64)
        for lane in np.unique(lanes).tolist():
            generations = self._generations[LaneNumber(lane)]
            for segment in np.unique(segments[lanes == lane]).tolist():
                generation = generations.of(self._project_id, segment) & _GENERATION_MASK
                if generation:
                    raised = np.uint64(generation << (SEGMENT_BITS + ORDINAL_BITS))
                    versions[(lanes == lane) & (segments == segment)] |= raised
        order = np.argsort(versions, kind="stable")
        records = archived.select(tables.RECORDS.names).take(pa.array(order)).cast(tables.RECORDS)
        batch = replay.map_records(records, prices=prices)
        index = records.schema.get_field_index("payload")
        bare = records.set_column(index, tables.RECORDS.field(index), pa.array([b""] * len(order), pa.binary()))
        return Remapped(MappedBatch(bare, *batch.row_tables), versions[order], lanes[order].astype(np.int32))

    def _spans(self, remapped: Remapped, found: _Findings) -> "_Sorted":
        rows = _latest(remapped.batch.observations, ("trace_id", "id"), found)
        trace_ids = sorted(set(rows["trace_id"].to_pylist()))
        stored = self._stored.observations(trace_ids, _days(rows["start_time"]))
        elsewhere = set(rows.filter(pa.array(places(rows, stored, ("trace_id", "id")) < 0))["trace_id"].to_pylist())
        # Sent again with another start time, a span lies where it was seen first.
        if elsewhere:
            stored = pa.concat_tables([stored, self._stored.observations(sorted(elsewhere))])
        return _sorted("observations", rows, stored, remapped=remapped, keys=("trace_id", "id"), found=found)

    def _scores(self, remapped: Remapped, found: _Findings) -> "_Sorted":
        rows = _latest(remapped.batch.scores, ("id",), found)
        stored = self._stored.scores(sorted(rows["id"].to_pylist()))
        return _sorted("scores", rows, stored, remapped=remapped, keys=("id",), found=found)

    async def _merged(
        self, remapped: Remapped, asked: npt.NDArray[np.int64], found: _Findings
    ) -> npt.NDArray[np.int64]:
        """The records of those asked for that change something."""
        changed: set[str] = set()
        for chosen in _by_subject(remapped.batch, asked):
            wanted = remapped.of(chosen)
            with_parts = set(wanted.batch.trace_parts["trace_id"].to_pylist())
            for one in await self._lanes.remap(wanted, is_trial=True):
                found.counts.update({"absent": one.counts.absent, "superseded": one.counts.newer})
                changed |= self._compared_merged(one, with_parts, found)
        subjects = remapped.batch.records["subject"].take(pa.array(asked))
        is_changed = np.array([subject in changed for subject in subjects.to_pylist()], dtype=bool)
        kept: npt.NDArray[np.int64] = asked[is_changed]
        return kept

    def _compared_merged(self, remade: Remade, with_parts: set[str], found: _Findings) -> set[str]:
        """The subjects that differ from what is stored."""
        if remade.rows is None:
            return set()
        spans, scores, traces = remade.rows.observations, remade.rows.scores, remade.rows.traces
        stored = self._stored.observations(sorted(set(spans["trace_id"].to_pylist())))
        changed = _compared("observations", spans, stored, keys=("trace_id", "id"), found=found)
        subjects = set(spans.filter(pa.array(changed))["trace_id"].to_pylist())
        if scores.num_rows:
            changed = _compared(
                "scores", scores, self._stored.scores(scores["id"].to_pylist()), keys=("id",), found=found
            )
            subjects |= {subject for _, subject in score_keys(scores.filter(pa.array(changed)))}
        traces = traces.filter(pc.is_in(traces["id"], pa.array(with_parts, tables.TEXT)))
        if traces.num_rows:
            changed = _compared(
                "traces", traces, self._stored.traces(sorted(traces["id"].to_pylist())), keys=("id",), found=found
            )
            subjects |= set(traces.filter(pa.array(changed))["id"].to_pylist())
        return subjects


class _Sorted(NamedTuple):
    """Records whose rows differ from what is stored, and those of which a lane must tell."""

    changed: npt.NDArray[np.int64]
    asked: npt.NDArray[np.int64]


def _sorted(
    table: str, rows: pa.Table, stored: pa.Table, *, remapped: Remapped, keys: Sequence[str], found: _Findings
) -> _Sorted:
    place = places(rows, stored, keys)
    records = rows["record"].to_numpy()
    is_stored = place >= 0
    theirs = stored.take(pa.array(np.where(is_stored, place, 0))) if stored.num_rows else None
    if theirs is None:
        return _Sorted(_NONE, records)
    is_newer = is_stored & (theirs["row_version"].to_numpy() > remapped.row_version[records])
    in_parts = is_stored & pc.not_equal(theirs["merge_state"], "").to_numpy()
    found.counts["superseded"] += int((is_newer & ~in_parts).sum())
    same = pa.array(is_stored & ~is_newer & ~in_parts)
    changed = _compared(table, rows.filter(same), theirs.filter(same), keys=keys, found=found)
    return _Sorted(records[np.asarray(same)][changed], records[~is_stored | in_parts])


def _compared(table: str, rows: pa.Table, stored: pa.Table, *, keys: Sequence[str], found: _Findings) -> Mask:
    """Count what differs; returns which rows do, those that are not stored among them."""
    place = places(rows, stored, keys)
    is_new = place < 0
    known = rows.filter(pa.array(~is_new))
    theirs = stored.take(pa.array(place[~is_new]))
    columns = [name for name in tables.CLICKHOUSE_TABLES[table].names if name not in _NOT_COMPARED]
    differing = differences(known, theirs, columns)
    changed = is_new.copy()
    for name, mask in differing.items():
        found.columns[f"{table}.{name}"] += int(mask.sum())
        changed[np.flatnonzero(~is_new)[mask]] = True
    found.counts["added"] += int(is_new.sum())
    found.counts["changed"] += int((changed & ~is_new).sum())
    found.counts["unchanged"] += int((~changed).sum())
    if table == "observations":
        found.cost_before += int(costs.to_units(theirs["total_cost"]).sum())
        found.cost_after += int(costs.to_units(rows["total_cost"]).sum())
    return changed


def _count_unreadable(batch: MappedBatch, found: _Findings) -> None:
    found.counts["records"] += batch.records.num_rows
    found.counts["rows"] += batch.observations.num_rows + batch.scores.num_rows + batch.observation_parts.num_rows
    gives_none = np.ones(batch.records.num_rows, dtype=bool)
    for rows in batch.row_tables:
        gives_none[rows["record"].to_numpy()] = False
    kinds = batch.records.filter(pa.array(gives_none))["entity_type"].to_pylist()
    found.unreadable.update(f"{kind or 'record'} that cannot be read" for kind in kinds)


def _latest(rows: pa.Table, keys: Sequence[str], found: _Findings) -> pa.Table:
    """Of each thing the row of its last record; records are in the order of their versions."""
    last = {key: index for index, key in enumerate(zip(*(rows[name].to_pylist() for name in keys), strict=True))}
    found.counts["superseded"] += rows.num_rows - len(last)
    return rows.take(pa.array(list(last.values()), pa.int64()))


def _days(starts: pa.ChunkedArray) -> tuple[datetime, datetime] | None:
    """From the day before the first of these times to the day after the last, where the tables count days."""
    if not len(starts):
        return None
    bounds = pc.min_max(starts.cast(pa.int64())).as_py()
    first, last = bounds["min"] - _DAY, bounds["max"] + _DAY
    if first < 0 or last > _LAST_MOMENT:
        return None
    return datetime.fromtimestamp(first / 10**6, UTC), datetime.fromtimestamp(last / 10**6, UTC)


def _in_parts(batch: MappedBatch) -> npt.NDArray[np.int64]:
    parts = [batch.trace_parts, batch.observation_parts]
    return np.unique(np.concatenate([rows["record"].to_numpy() for rows in parts])).astype(np.int64)


def _by_subject(batch: MappedBatch, records: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Records in portions, of which each holds all of its subjects' and keeps their order."""
    portions: list[list[int]] = [[]]
    own: dict[str, list[int]] = {}
    subjects = batch.records["subject"].take(pa.array(records)).to_pylist()
    for subject, record in zip(subjects, records.tolist(), strict=True):
        own.setdefault(subject, []).append(record)
    for numbers in own.values():
        if portions[-1] and len(portions[-1]) + len(numbers) > _RECORDS_AT_ONCE:
            portions.append([])
        portions[-1] += numbers
    return [np.sort(np.array(portion, np.int64)) for portion in portions if portion]
