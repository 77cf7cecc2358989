"""Observations that came in parts, merged to whole rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.identifiers import ProjectId
from ingestion import merge, previews, values
from ingestion.attributes import level
from ingestion.attributes.cost import Counted
from ingestion.attributes.environment import DEFAULT
from ingestion.batch import gen_ai_events
from ingestion.batch.metadata import metadata_field, metadata_texts
from ingestion.batch.observation_fields import COST, COST_DETAIL, USAGE, USAGE_DETAIL
from ingestion.merge import SEEN, MergeState, Stamped
from ingestion.pricing import PriceBooks
from ingestion.rows import Columns

PAYLOADS = frozenset({"input", "output"})
# Of a whole span these columns are not for an event to change.
_CARRIED = "carried"
_CARRIED_TEXTS = (
    "release", "trace_name", "user_id", "session_id", "service_name", "service_version", "scope_name", "scope_version",
    "prompt_id", "source",
)  # fmt: skip
_CARRIED_COLUMNS = ("is_app_root", "tags", "public", "trace_metadata")
_TEXTS = (
    "type", "name", "status_message", "version", "parent_observation_id", "model_parameters", "prompt_name",
    "input", "output", "ingestion_api_key", "ingestion_sdk_name", "ingestion_sdk_version",
)  # fmt: skip
_OPTIONAL_TIMES = ("end_time", "completion_start_time")


class MergedObservation(NamedTuple):
    """An observation's ids, and all that its events have set."""

    project_id: str
    trace_id: str
    id: str
    state: MergeState


def parts_of(fields: str, stamped_at: int, stamp_id: str) -> Iterable[merge.Part]:
    """The parts in the `fields` column of an event."""
    return [merge.Part(name, text, stamped_at, stamp_id) for name, text in json.loads(fields).items()]


def rows(merged: Sequence[MergedObservation], prices: PriceBooks) -> pa.Table:
    """One whole row for each, as `tables.MAPPED_OBSERVATIONS`; `record` numbers them."""
    columns = Columns(tables.MAPPED_OBSERVATIONS, len(merged))
    everyone = range(len(merged))
    fields = [gen_ai_events.completed({name: part.value for name, part in one.state.items()}) for one in merged]
    for name in ("project_id", "trace_id", "id"):
        columns.put(name, everyone, [getattr(one, name) for one in merged])
    for name in _TEXTS:
        columns.put(name, everyone, [known.get(name, "") for known in fields])
    columns.put("level", everyone, [known.get("level") or level.DEFAULT for known in fields])
    columns.put("environment", everyone, [known.get("environment") or DEFAULT for known in fields])
    versions = [int(known["prompt_version"]) if known.get("prompt_version") else None for known in fields]
    columns.put("prompt_version", everyone, versions)
    columns.put("metadata", everyone, [metadata_texts(one.state) for one in merged])
    _fill_times(columns, merged, fields)
    _fill_previews(columns, fields)
    _fill_carried(columns, fields)
    _fill_costs(columns, [one.project_id for one in merged], fields, prices=prices)
    columns.put("merge_state", everyone, [dump(one.state) for one in merged])
    columns.put("record", everyone, list(everyone))
    return columns.table()


def _fill_costs(
    columns: Columns, project_ids: Sequence[str], fields: Sequence[Mapping[str, str]], *, prices: PriceBooks
) -> None:
    rows_of: dict[str, list[int]] = {}
    for row, project_id in enumerate(project_ids):
        rows_of.setdefault(project_id, []).append(row)
    for project_id, own in rows_of.items():
        known = [fields[row] for row in own]
        counted = Counted(
            [one.get("model", "") for one in known],
            [_counts(one, USAGE, USAGE_DETAIL) for one in known],
            [_counts(one, COST, COST_DETAIL) for one in known],
        )
        counted.fill(own, prices.of(ProjectId(project_id)), columns)


def _fill_times(columns: Columns, merged: Sequence[MergedObservation], fields: Sequence[Mapping[str, str]]) -> None:
    everyone = range(len(merged))
    starts = [
        int(known["start_time"]) if "start_time" in known else one.state[SEEN].stamped_at
        for one, known in zip(merged, fields, strict=True)
    ]
    columns.put("start_time", everyone, starts)
    for name in _OPTIONAL_TIMES:
        found = [
            max(int(known[name]), start) if name in known else None for known, start in zip(fields, starts, strict=True)
        ]
        columns.put(name, everyone, found)


def _fill_previews(columns: Columns, fields: Sequence[Mapping[str, str]]) -> None:
    for name in PAYLOADS:
        texts = [previews.preview(known.get(name, "")) for known in fields]
        columns.put(f"{name}_preview", range(len(fields)), texts)


def _fill_carried(columns: Columns, fields: Sequence[Mapping[str, str]]) -> None:
    carried = [json.loads(known.get(_CARRIED, "{}")) for known in fields]
    everyone = range(len(fields))
    for name in _CARRIED_TEXTS:
        absent = "api" if name == "source" else ""
        columns.put(name, everyone, [found.get(name, absent) for found in carried])
    columns.put("is_app_root", everyone, [bool(found.get("is_app_root")) for found in carried])
    columns.put("tags", everyone, [found.get("tags", []) for found in carried])
    columns.put("public", everyone, [found.get("public") for found in carried])
    columns.put("trace_metadata", everyone, [dict(found.get("trace_metadata", ())) for found in carried])


def _counts(known: Mapping[str, str], *prefixes: str) -> dict[str, int]:
    """Later prefixes win by key: details before the older form."""
    counts = {
        name.removeprefix(prefix): int(text)
        for prefix in prefixes
        for name, text in known.items()
        if name.startswith(prefix)
    }
    return dict(sorted(counts.items()))


def dump(state: MergeState) -> str:
    """The state for `merge_state`; payloads are left out, since they have columns of their own."""
    return merge.to_json({name: part._replace(value="") if name in PAYLOADS else part for name, part in state.items()})


def load(row: Mapping[str, Any]) -> MergeState:
    """The state of a stored row: what its events have set, or for a whole span what its columns hold.

    Args:
        row: all columns of `observations` as Python values; times in microseconds, costs in pico-dollars.
    """
    if not row["merge_state"]:
        return _state_of_span(row)
    state = merge.from_json(row["merge_state"])
    return {name: part._replace(value=row[name]) if name in PAYLOADS else part for name, part in state.items()}


def span_below(state: MergeState) -> int | None:
    """The version of the whole span on which events were merged; 0 where it was not noted, None without one."""
    carried = state.get(_CARRIED)
    return None if carried is None else int(json.loads(carried.value).get("row_version", 0))


def _state_of_span(row: Mapping[str, Any]) -> MergeState:
    """A whole span counts as one event at its start."""
    texts = {name: row[name] for name in (*_TEXTS, "level", "environment") if row[name]}
    texts |= {name: str(row[name]) for name in ("start_time", *_OPTIONAL_TIMES) if row[name] is not None}
    if row["prompt_version"] is not None:
        texts["prompt_version"] = str(row["prompt_version"])
    if row["provided_model_name"]:
        texts["model"] = row["provided_model_name"]
    texts |= {USAGE_DETAIL + key: str(units) for key, units in dict(row["provided_usage_details"]).items()}
    texts |= {COST_DETAIL + key: str(picos) for key, picos in dict(row["provided_cost_details"]).items()}
    for key, text in dict(row["metadata"]).items():
        parsed = values.parsed_or_none(text)
        texts[metadata_field((key,))] = values.to_json(text if parsed is None and text != "null" else parsed)
    carried = {name: row[name] for name in (*_CARRIED_TEXTS, *_CARRIED_COLUMNS, "row_version")}
    texts[_CARRIED] = json.dumps(carried | {"trace_metadata": dict(row["trace_metadata"])}, separators=(",", ":"))
    texts[SEEN] = ""
    return {name: Stamped(row["start_time"], "", text) for name, text in texts.items()}
