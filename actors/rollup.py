"""A subject's state, and its trace row: always recomputed from the whole set of contributions, never incremented."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from actors import repeated_usage
from actors.contribution import ObservationContribution, ScoreContribution
from heliograph.domain import costs, tables
from ingestion.batch.metadata import metadata_texts
from ingestion.batch.trace_fields import TAG
from ingestion.merge import SEEN, MergeState, from_json, to_json

PREVIEW_CHARACTERS = 200
_MAX_TOKENS = 2**64 - 1
# About what one contribution takes.
_CHARACTERS_PER_WEIGHT = 500
PAYLOADS = frozenset({"input", "output"})
_NO_TIME = 0


class TracePlace(NamedTuple):
    """Where the trace's row lies, so that a later row replaces it: told by the first record seen, once and for all."""

    placed_at: int
    created_at: int
    bookmarked: bool = False
    told_by: int = 0


@dataclasses.dataclass(slots=True)
class SubjectState:
    """Everything known of one subject: a trace, or what belongs to a session or an experiment alone."""

    observations: dict[str, ObservationContribution] = dataclasses.field(default_factory=dict)
    scores: dict[str, ScoreContribution] = dataclasses.field(default_factory=dict)
    parts: MergeState = dataclasses.field(default_factory=dict)
    # What events have set on observations that came in parts, as far as it was needed; the rows hold it all.
    partial: dict[str, MergeState] = dataclasses.field(default_factory=dict)
    # The observations whose rows were put together from parts.
    in_parts: frozenset[str] = frozenset()
    parts_version: int = 0
    parts_updated_at: int = 0
    place: TracePlace | None = None
    # What the row must at least be: the last deletion of a score, and the version that is stored.
    least_version: int = 0

    def propose_place(self, placed_at: int, created_at: int, row_version: int) -> None:
        """The record of the smallest version tells the place, and none can once the row is stored."""
        if self.place is None or row_version < self.place.told_by:
            self.place = TracePlace(placed_at, created_at, told_by=row_version)

    def drop_scores(self, limits: Mapping[str, int]) -> None:
        """Forget the scores that are older than their deletion."""
        for score_id, limit in limits.items():
            known = self.scores.get(score_id)
            if known is not None and known.row_version < limit:
                del self.scores[score_id]
            self.least_version = max(self.least_version, limit)

    @property
    def weight(self) -> int:
        """How many contributions are held, which is what the cache's bound counts."""
        characters = sum(len(part.value) for part in self.parts.values())
        if self.partial:
            characters += sum(len(part.value) for known in self.partial.values() for part in known.values())
        return 1 + len(self.observations) + len(self.scores) + characters // _CHARACTERS_PER_WEIGHT

    @property
    def is_trace(self) -> bool:
        """Whether there is a trace to write a row for; a score alone does not make one."""
        return bool(self.observations or self.parts)

    @property
    def row_version(self) -> int:
        """The log position of the last event that shaped the trace row."""
        versions = [self.parts_version, self.least_version]
        versions.extend(known.row_version for known in self.observations.values())
        versions.extend(known.row_version for known in self.scores.values())
        return max(versions)


class TraceRow(NamedTuple):
    """Field names and order are those of `tables.TRACES`; times in microseconds, cost in 10⁻¹² dollars."""

    project_id: str
    id: str
    timestamp: int
    name: str
    user_id: str
    session_id: str
    environment: str
    release: str
    version: str
    tags: list[str]
    public: bool
    bookmarked: bool
    metadata: list[tuple[str, str]]
    input: str
    output: str
    input_preview: str
    output_preview: str
    root_observation_id: str
    end_time: int | None
    latency_ms: float | None
    level: str
    observation_count: int
    error_count: int
    warning_count: int
    score_count: int
    input_tokens: int
    output_tokens: int
    total_tokens: int
    total_cost: int
    models: list[str]
    score_values: list[tuple[str, float]]
    score_labels: list[tuple[str, str]]
    merge_state: str
    placed_at: int
    created_at: int
    updated_at: int
    row_version: int


def roll_up(project_id: str, trace_id: str, state: SubjectState) -> TraceRow:
    """The trace row that the subject's contributions amount to, whatever order they came in."""
    known = sorted(state.observations.values(), key=_by_start)
    root = _root_of(known)
    attributes = _Attributes.latest_of(known).overlaid_by(state.parts)
    parts = {field: part.value for field, part in state.parts.items()}
    span = _Span.of(known)
    place = state.place
    if place is None:
        raise ValueError(trace_id)
    levels = [one.level for one in known]
    errors, warnings = levels.count("ERROR"), levels.count("WARNING")
    values, labels = _score_summary(state.scores.values())
    repeated = repeated_usage.repeating(known)
    counted = [one for one in known if one.id not in repeated] if repeated else known
    paid = [one for one in known if not repeated.get(one.id)] if repeated else known
    return TraceRow(
        project_id=project_id,
        id=trace_id,
        timestamp=int(parts.get("timestamp") or (span.start if known else _first_seen(state, place))),
        name=attributes.name or (root.name if root else ""),
        user_id=attributes.user_id,
        session_id=attributes.session_id,
        environment=parts.get("environment") or _environment(root, known),
        release=attributes.release,
        version=attributes.version,
        tags=sorted(attributes.tags),
        public=attributes.public,
        bookmarked=place.bookmarked,
        metadata=list((attributes.metadata | repeated_usage.explained(repeated, known)).items()),
        input=parts.get("input", ""),
        output=parts.get("output", ""),
        input_preview=parts.get("input", "")[:PREVIEW_CHARACTERS] or (root.input_preview if root else ""),
        output_preview=parts.get("output", "")[:PREVIEW_CHARACTERS] or (root.output_preview if root else ""),
        root_observation_id=root.id if root else "",
        end_time=span.end,
        latency_ms=(span.end - span.start) / 1000 if span.end is not None else None,
        level="ERROR" if errors else "WARNING" if warnings else "DEFAULT",
        observation_count=len(known),
        error_count=errors,
        warning_count=warnings,
        score_count=len(state.scores),
        input_tokens=_tokens(one.input_tokens for one in counted),
        output_tokens=_tokens(one.output_tokens for one in counted),
        total_tokens=_tokens(one.total_tokens for one in counted),
        total_cost=min(sum(one.total_cost for one in paid), costs.MAX_UNITS),
        models=sorted({one.provided_model_name for one in known if one.provided_model_name}),
        score_values=values,
        score_labels=labels,
        merge_state=dump_parts(state.parts),
        placed_at=place.placed_at,
        created_at=place.created_at,
        updated_at=_last_update(state, place),
        row_version=state.row_version,
    )


def _first_seen(state: SubjectState, place: TracePlace) -> int:
    return state.parts[SEEN].stamped_at if SEEN in state.parts else place.placed_at


def _environment(root: ObservationContribution | None, known: list[ObservationContribution]) -> str:
    told_by = root or (known[0] if known else None)
    return told_by.environment if told_by else "default"


def dump_parts(parts: MergeState) -> str:
    """The parts for `merge_state`; payloads are left out, since they have columns of their own."""
    if not parts:
        return ""
    return to_json({field: part._replace(value="") if field in PAYLOADS else part for field, part in parts.items()})


def load_parts(merge_state: str, payloads: Mapping[str, str]) -> MergeState:
    """The inverse of `dump_parts`, with the payloads of the row's columns."""
    return {
        field: part._replace(value=payloads[field]) if field in PAYLOADS else part
        for field, part in from_json(merge_state).items()
    }


def trace_table(rows: list[TraceRow]) -> pa.Table:
    """Trace rows as an Arrow table with the schema of `traces`."""
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in tables.TRACES]
    return pa.Table.from_arrays(
        [_array(field.type, values) for field, values in zip(tables.TRACES, columns, strict=True)],
        schema=tables.TRACES,
    )


def _tokens(counts: Iterable[int]) -> int:
    """A sum as the columns hold it: absurd counts must not stop their neighbours."""
    return min(sum(counts), _MAX_TOKENS)


def _array(type_: pa.DataType, values: list[Any]) -> pa.Array:
    if pa.types.is_decimal(type_):
        return costs.to_decimals(pa.array(values, pa.int64()).to_numpy())
    if pa.types.is_timestamp(type_):
        return pa.array(values, pa.int64()).cast(type_)
    return pa.array(values, type_)


class _Span(NamedTuple):
    start: int
    end: int | None

    @classmethod
    def of(cls, known: list[ObservationContribution]) -> "_Span":
        if not known:
            return cls(_NO_TIME, None)
        ends = [one.end_time for one in known if one.end_time is not None]
        return cls(known[0].start_time, max(ends) if ends else None)


@dataclasses.dataclass(slots=True)
class _Attributes:
    name: str = ""
    user_id: str = ""
    session_id: str = ""
    release: str = ""
    version: str = ""
    public: bool = False
    tags: set[str] = dataclasses.field(default_factory=set)
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def latest_of(cls, known: Iterable[ObservationContribution]) -> "_Attributes":
        """Ordered by start time, an absent attribute keeps the value before it; tags unite, metadata merges by key."""
        latest = cls()
        for one in known:
            latest.name = one.trace_name or latest.name
            latest.user_id = one.user_id or latest.user_id
            latest.session_id = one.session_id or latest.session_id
            latest.release = one.release or latest.release
            latest.version = one.version or latest.version
            if one.public is not None:
                latest.public = one.public
            if one.tags:
                latest.tags.update(one.tags)
            if one.trace_metadata:
                latest.metadata.update(one.trace_metadata)
        return latest

    def overlaid_by(self, parts: MergeState) -> "_Attributes":
        """What events set on the trace itself wins over what its observations carry; tags and metadata unite."""
        if not parts.keys() - PAYLOADS:
            return self
        for name in ("name", "user_id", "session_id", "release", "version"):
            if name in parts:
                setattr(self, name, parts[name].value or getattr(self, name))
        if "public" in parts:
            self.public = parts["public"].value == "true"
        self.tags.update(field.removeprefix(TAG) for field in parts if field.startswith(TAG))
        self.metadata.update(metadata_texts(parts))
        return self


def _by_start(one: ObservationContribution) -> tuple[int, str]:
    return (one.start_time, one.id)


def _root_of(known: list[ObservationContribution]) -> ObservationContribution | None:
    application_root = None
    for one in known:
        if not one.parent_observation_id:
            return one
        if one.is_app_root and application_root is None:
            application_root = one
    return application_root


def _last_update(state: SubjectState, place: TracePlace) -> int:
    times = [one.updated_at for one in state.observations.values()]
    times.extend(one.updated_at for one in state.scores.values())
    times.append(state.parts_updated_at)
    return max(times) or place.created_at


def _score_summary(
    scores: Iterable[ScoreContribution],
) -> tuple[list[tuple[str, float]], list[tuple[str, str]]]:
    values: dict[str, list[float]] = {}
    labels: dict[str, str] = {}
    for one in sorted(scores, key=lambda score: (score.row_version, score.id)):
        if one.data_type in {"NUMERIC", "BOOLEAN"}:
            values.setdefault(one.name, []).append(one.value)
        elif one.string_value:
            labels[one.name] = one.string_value
    return _means(values), sorted(labels.items())


def _means(values: Mapping[str, list[float]]) -> list[tuple[str, float]]:
    return [(name, sum(found) / len(found)) for name, found in sorted(values.items())]
