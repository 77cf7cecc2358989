"""What a user sees of the requests of an emitter: `python -m tests.emitters.seen NAME...` writes it down."""

import argparse
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actors.generations import Generations
from actors.merge import Merge, Segment
from actors.seen_filter import SeenFilter
from actors.subject_cache import SubjectCache
from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.lanes import LogPosition
from ingestion import logs, otlp, values
from ingestion.batch import events, mapping
from tests.emitters import recording
from tests.emitters.recording import Sent
from tests.stored_rows import StoredRows
from tests.unit.actors.batches import compose

Json = dict[str, Any]

_RECEIVED_AT = datetime(2026, 12, 1, tzinfo=UTC)
# What Heliograph adds by itself.
_OWN_METADATA = {"attributes", "resourceAttributes", "scope"}


def expected_path(name: str) -> Path:
    """Where it is written down what a user is to see."""
    return recording.FOLDER / name / "expected.json"


def traces(requests: Iterable[Sent]) -> list[Json]:
    """Each trace with its observations as a tree, once all requests went through mapping and merging."""
    stored = StoredRows()
    merge = Merge(stored, SubjectCache(10_000, SeenFilter(1 << 16)), Generations(), compose=compose)
    merge.learn_known_subjects()
    for number, request in enumerate(requests, 1):
        batch = mapped(request)
        if batch is not None:
            rows = merge.rows_of([Segment(LogPosition(1, number), batch)])
            for table in ("observations", "scores", "traces"):
                stored.insert(table, getattr(rows, table))
            merge.settle(rows)
    observations = [_with_maps(row) for row in stored.logical("observations")]
    found = sorted(stored.logical("traces"), key=lambda row: (row["timestamp"], row["id"]))
    return [_trace(row, [one for one in observations if one["trace_id"] == row["id"]]) for row in found]


def mapped(request: Sent) -> MappedBatch | None:
    """The batch that a door would append; None for a request that leaves nothing."""
    context = otlp.MappingContext(ProjectId("p"), _facts(request.headers), _RECEIVED_AT)
    content_type = request.headers.get("content-type", "").split(";")[0]
    if request.path.endswith("/v1/traces"):
        done = otlp.map_export(otlp.decode(request.body, content_type), context)
        assert done.rejected == []
        return done.batch
    if request.path.endswith("/v1/logs"):
        heard = logs.decode(request.body, content_type).events
        return mapping.map_events(heard, context) if heard else None
    assert request.path.endswith("/ingestion"), request.path
    decoded = events.decode(request.body)
    assert decoded.errors == []
    return mapping.map_events(decoded.events, context)


def _facts(headers: Mapping[str, str]) -> IngestionFacts:
    names = ("x-langfuse-sdk-name", "x-langfuse-sdk-version", "x-langfuse-ingestion-version")
    return IngestionFacts("pk", *(headers.get(name, "") for name in names))


def _with_maps(row: Json) -> Json:
    maps = ("usage_details", "cost_details", "metadata")
    return {**row, **{name: dict(row[name]) for name in maps}}


def _trace(row: Json, observations: list[Json]) -> Json:
    said = {name: row[name] for name in ("name", "user_id", "session_id", "tags") if row[name]}
    known = {one["id"] for one in observations}
    roots = [one for one in observations if one["parent_observation_id"] not in known]
    below = [_observation(one, observations) for one in sorted(roots, key=_began)]
    return {**said, "tokens": row["total_tokens"], "cost": _cost(row["total_cost"]), "observations": below}


def _observation(row: Json, others: list[Json]) -> Json:
    own = sorted((one for one in others if one["parent_observation_id"] == row["id"]), key=_began)
    parameters = values.parsed_or_none(row["model_parameters"])
    said = {
        "name": row["name"],
        "type": row["type"],
        "level": row["level"] if row["level"] != "DEFAULT" else "",
        "status_message": row["status_message"],
        "model": row["provided_model_name"],
        "model_parameters": parameters,
        "input": _readable(row["input"]),
        "output": _readable(row["output"]),
        "usage": row["usage_details"],
        "cost": _cost(row["total_cost"]),
        "has_first_token": row["completion_start_time"] is not None,
        "metadata": {key: _readable(text) for key, text in row["metadata"].items() if key not in _OWN_METADATA},
        "observations": [_observation(one, others) for one in own],
    }
    return {name: value for name, value in said.items() if value not in ("", None, {}, [], False)}


def _began(row: Json) -> tuple[datetime, str, str]:
    return row["start_time"], row["name"], row["id"]


def _readable(text: str) -> Any:
    parsed = values.parsed_or_none(text)
    return text if parsed is None else parsed


def _cost(cost: Any) -> str:
    return f"{cost:.9f}".rstrip("0").rstrip(".") if cost else ""


def main() -> None:
    """Write down what is seen now, to be read before it is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME")
    for name in parser.parse_args().names:
        found = traces(recording.load(name))
        expected_path(name).write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
