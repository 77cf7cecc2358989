"""Exports that arrive together are mapped as one, and stay apart."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.domain.errors import Overloaded
from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.identifiers import ProjectId
from ingestion import otlp
from ingestion.otlp import ExportTraceServiceRequest, MappingContext, ScopeOfSpans
from serve_apps.ingest.joined import JoinedExports
from tests.unit.ingestion.spans import CONTEXT, export, plain, span

PROJECTS = ("a", "b", "c")
UNMAPPABLE = ExportTraceServiceRequest([ScopeOfSpans(b"", b"", b"", b"", [None])])  # type: ignore[list-item]


def of_project(name: str) -> MappingContext:
    facts = IngestionFacts(f"pk-{name}", f"sdk-{name}", "1.0")
    return replace(CONTEXT, project_id=ProjectId(name), facts=facts)


def exported(number: int, *, spans: int = 2, invalid: int = 0) -> ExportTraceServiceRequest:
    attributes = {"langfuse.trace.name": f"trace {number}", "langfuse.user.id": f"user {number}"}
    made = [
        span(attributes, trace_id=number.to_bytes(16, "big"), span_id=(n + 1).to_bytes(8, "big")) for n in range(spans)
    ]
    return otlp.decode(export([*made, *(span(span_id=b"") for _ in range(invalid))]), otlp.PROTOBUF)


class Kept:
    """Keeps what is appended by project; refuses what it is told to."""

    def __init__(self, refused: str = "") -> None:
        self.batches: dict[str, list[MappedBatch]] = {}
        self._refused = refused

    async def append(self, batch: MappedBatch) -> None:
        if batch.records.num_rows == 0:
            return
        (project,) = set(batch.records["project_id"].to_pylist())
        if project == self._refused:
            raise Overloaded(3.0)
        self.batches.setdefault(project, []).append(batch)


@given(st.lists(st.tuples(st.sampled_from(PROJECTS), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=8))
async def test_joined_exports_are_what_each_is_alone(sent: list[tuple[str, int, int]]) -> None:
    kept = Kept()
    door = JoinedExports(kept, 0.0)
    made = [
        (exported(number, spans=spans, invalid=invalid), of_project(project))
        for number, (project, spans, invalid) in enumerate(sent)
    ]
    answers = await asyncio.gather(*(door.accept(one, context) for one, context in made))

    alone = [otlp.map_export(one, context) for one, context in made]
    assert answers == [one.rejected for one in alone]
    for project in {project for project, spans, _ in sent if spans}:
        (batch,) = kept.batches[project]
        own = MappedBatch.concat([
            one.batch for one, (name, spans, _) in zip(alone, sent, strict=True) if name == project and spans
        ])  # fmt: skip
        assert plain(batch.records) == plain(own.records)
        assert [plain(table) for table in batch.row_tables] == [plain(table) for table in own.row_tables]


async def test_a_project_that_is_refused_costs_no_other() -> None:
    kept = Kept(refused="b")
    door = JoinedExports(kept, 0.0)
    answers = await asyncio.gather(
        *(door.accept(exported(number), of_project(name)) for number, name in enumerate("abcb")), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [list, Overloaded, list, Overloaded]
    assert set(kept.batches) == {"a", "c"}


async def test_an_export_that_cannot_be_mapped_costs_no_other() -> None:
    kept = Kept()
    door = JoinedExports(kept, 0.0)
    accepted, failed, other = await asyncio.gather(
        door.accept(exported(1), of_project("a")),
        door.accept(UNMAPPABLE, of_project("a")),
        door.accept(exported(2), of_project("b")),
        return_exceptions=True,
    )
    assert (accepted, other) == ([], [])
    assert isinstance(failed, TypeError)
    assert sorted(kept.batches) == ["a", "b"]


async def test_what_is_masked_by_other_rules_is_not_joined() -> None:
    kept = Kept()
    door = JoinedExports(kept, 0.0)
    own_rules = replace(of_project("a"), masker=type(CONTEXT.masker)())
    await asyncio.gather(door.accept(exported(1), of_project("a")), door.accept(exported(2), own_rules))
    assert len(kept.batches["a"]) == 2


@pytest.mark.parametrize("spans", [0, 3])
async def test_an_export_without_valid_spans_is_answered(spans: int) -> None:
    door = JoinedExports(Kept(), 0.0)
    answers = await asyncio.gather(
        door.accept(exported(1, spans=0, invalid=1), of_project("a")),
        door.accept(exported(2, spans=spans), of_project("b")),
    )
    assert [len(rejected) for rejected in answers] == [1, 0]
