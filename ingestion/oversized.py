"""Payloads too large for their rows: taken out of what was mapped, and put back into what is read."""

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain import tables
from heliograph.domain.events import MappedBatch
from heliograph.domain.oversized import Oversized, digest_of, mark_of, marked, marks_in
from ingestion import values
from ingestion.batch.metadata import METADATA
from ingestion.values import Value

_TEXTS = ("input", "output")
_MAPS = ("metadata", "trace_metadata")


class _Taken:
    """What was taken out of one batch."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.payloads: dict[tuple[str, str, str], Oversized] = {}

    def shortened(self, text: str, project_id: str, trace_id: str, *, is_json: bool = False) -> str:
        """The text, or what stands for it when it is too large."""
        if len(text) * 4 <= self.max_bytes:
            return text
        content = text.encode()
        if len(content) <= self.max_bytes:
            return text
        payload = Oversized(project_id, trace_id, digest_of(content), content)
        self.payloads[payload[:3]] = payload
        preview = marked(text, content, is_json=is_json)
        return values.to_json(preview) if is_json else preview


def taken_out(batch: MappedBatch, max_bytes: int) -> tuple[MappedBatch, list[Oversized]]:
    """The batch with a preview in place of each input, output and metadata value above the bound, and these.

    The records keep the whole: mapped again, they give the same rows.
    """
    if batch.nbytes <= max_bytes:
        return batch, []
    taken = _Taken(max_bytes)
    rows = (
        _observations(batch.observations, taken),
        batch.scores,
        _trace_parts(batch.trace_parts, taken),
        _observation_parts(batch.observation_parts, taken),
    )
    return (MappedBatch(batch.records, *rows), list(taken.payloads.values())) if taken.payloads else (batch, [])


def _observations(rows: pa.Table, taken: _Taken) -> pa.Table:
    for name in _TEXTS:
        if _has_long(rows[name], taken.max_bytes):
            owned = zip(rows[name].to_pylist(), *_owners(rows), strict=True)
            rows = _replaced(rows, name, [taken.shortened(text, *owner) for text, *owner in owned])
    for name in _MAPS:
        if any(_has_long(chunk.items, taken.max_bytes) for chunk in rows[name].chunks):
            owned = zip(rows[name].to_pylist(), *_owners(rows), strict=True)
            entries = [[(key, taken.shortened(text, *owner)) for key, text in found] for found, *owner in owned]
            rows = _replaced(rows, name, entries)
    return rows


def _trace_parts(parts: pa.Table, taken: _Taken) -> pa.Table:
    if not _has_long(parts["value"], taken.max_bytes):
        return parts
    owned = zip(parts["field"].to_pylist(), parts["value"].to_pylist(), *_owners(parts), strict=True)
    return _replaced(parts, "value", [_field(name, text, owner, taken=taken) for name, text, *owner in owned])


def _observation_parts(parts: pa.Table, taken: _Taken) -> pa.Table:
    if not _has_long(parts["fields"], taken.max_bytes):
        return parts
    owned = zip(parts["fields"].to_pylist(), *_owners(parts), strict=True)
    return _replaced(parts, "fields", [_fields(text, owner, taken) for text, *owner in owned])


def _fields(text: str, owner: list[str], taken: _Taken) -> str:
    if len(text) * 4 <= taken.max_bytes:
        return text
    fields = json.loads(text)
    return values.to_json({name: _field(name, value, owner, taken=taken) for name, value in fields.items()})


def _field(name: str, text: str, owner: list[str], *, taken: _Taken) -> str:
    if name in _TEXTS:
        return taken.shortened(text, *owner)
    return taken.shortened(text, *owner, is_json=True) if name.startswith(METADATA) else text


def _has_long(texts: pa.ChunkedArray | pa.Array, max_bytes: int) -> bool:
    longest = pc.max(pc.binary_length(texts)).as_py()
    return longest is not None and longest > max_bytes


def _owners(rows: pa.Table) -> tuple[list[str], list[str]]:
    return rows["project_id"].to_pylist(), rows["trace_id"].to_pylist()


def _replaced(rows: pa.Table, name: str, column: Sequence[object]) -> pa.Table:
    field = rows.schema.field(name)
    type_ = tables.TEXT_MAP if name in _MAPS else tables.TEXT
    return rows.set_column(rows.schema.get_field_index(name), field, pa.array(column, type_))


def put_back(text: str, contents: Mapping[str, str]) -> str:
    """The text with the whole in place of each preview, as far as the contents by digest are known."""
    mark = mark_of(text)
    if mark is not None:
        content = contents.get(mark.digest)
        if content is None:
            return text
        return values.readable_text(values.from_json(content)) if mark.is_json else content
    if any(found.digest in contents for found in marks_in(text)):
        return values.to_json(_put_back_within(values.parsed_or_none(text), contents))
    return text


def _put_back_within(value: Value, contents: Mapping[str, str]) -> Value:
    if isinstance(value, dict):
        return {key: _put_back_within(entry, contents) for key, entry in value.items()}
    mark = mark_of(value) if isinstance(value, str) else None
    content = contents.get(mark.digest) if mark else None
    if mark is None or content is None:
        return value
    return values.from_json(content) if mark.is_json else content
