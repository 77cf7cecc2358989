"""What travels from a door to a lane."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.domain import tables
from heliograph.domain.events import IngestionFacts, MappedBatch, pack, run_subject, session_subject, unpack

DEFAULTS = {pa.types.is_string: "", pa.types.is_binary: b"", pa.types.is_timestamp: 0, pa.types.is_integer: 0}


def default_of(kind: pa.DataType) -> object:
    return next((value for matches, value in DEFAULTS.items() if matches(kind)), None)


def rows(schema: pa.Schema, **columns: Sequence[object]) -> pa.Table:
    count = len(next(iter(columns.values())))
    filled = {field.name: columns.get(field.name, [default_of(field.type)] * count) for field in schema}
    return pa.Table.from_pydict(filled, schema)


def batch_of(*names: str, parts_per_record: int = 1) -> MappedBatch:
    """One record per name, each with its trace parts."""
    indices = [index for index in range(len(names)) for _ in range(parts_per_record)]
    parts = rows(tables.MAPPED_TRACE_PARTS, trace_id=[names[index] for index in indices], record=indices)
    return MappedBatch(rows(tables.RECORDS, entity_id=list(names)), trace_parts=parts)


def owners(batch: MappedBatch) -> list[tuple[str, str]]:
    """Each part beside the record that it points to."""
    names = batch.records["entity_id"].to_pylist()
    parts = batch.trace_parts.select(["trace_id", "record"]).to_pylist()
    return [(part["trace_id"], names[part["record"]]) for part in parts]


@given(st.permutations(range(5)))
def test_rows_follow_their_records_into_a_new_order(order: list[int]) -> None:
    batch = batch_of(*"abcde", parts_per_record=2).reordered(np.array(order))
    assert batch.records["entity_id"].to_pylist() == ["abcde"[index] for index in order]
    assert owners(batch) == [("abcde"[index],) * 2 for index in order for _ in range(2)]


def test_rows_of_left_out_records_are_left_out() -> None:
    batch = batch_of("a", "b", "c").reordered(np.array([2, 0]))
    assert owners(batch) == [("c", "c"), ("a", "a")]


def test_concatenated_batches_keep_rows_with_their_records() -> None:
    batch = MappedBatch.concat([batch_of("a", "b"), batch_of("c"), batch_of("d", parts_per_record=0), batch_of("e")])
    assert batch.records["entity_id"].to_pylist() == list("abcde")
    assert owners(batch) == [(name, name) for name in "abce"]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_a_batch_split_and_concatenated_is_the_same(counts: list[int]) -> None:
    whole = batch_of(*map(str, range(sum(counts))), parts_per_record=2)
    parts = whole.split(counts)
    assert [part.records.num_rows for part in parts] == counts
    for part in parts:
        names = part.records["entity_id"].to_pylist()
        assert owners(unpack(pack(part))) == [(name, name) for name in names for _ in range(2)]
    assert owners(MappedBatch.concat(parts)) == owners(whole)


def test_a_single_batch_is_not_copied() -> None:
    batch = batch_of("a")
    assert MappedBatch.concat([batch]) is batch


@pytest.mark.parametrize("names", ["", "abc"])
def test_a_packed_batch_unpacks_to_itself(names: str) -> None:
    batch = batch_of(*names) if names else MappedBatch(tables.RECORDS.empty_table())
    again = unpack(pack(batch))
    assert again.records.equals(batch.records)
    assert all(table.equals(other) for table, other in zip(again.row_tables, batch.row_tables, strict=True))


def test_facts_survive_their_json_without_the_absent_ones() -> None:
    facts = IngestionFacts(public_key="pk-lf-1", sdk_name="python")
    assert facts.to_json() == '{"public_key":"pk-lf-1","sdk_name":"python"}'
    assert IngestionFacts.from_json(facts.to_json()) == facts


def test_facts_of_a_later_release_are_ignored() -> None:
    assert IngestionFacts.from_json('{"sdk_name":"js","region":"north"}') == IngestionFacts(sdk_name="js")
    assert IngestionFacts.from_json("") == IngestionFacts()


def test_subjects_of_sessions_and_experiments_are_no_trace_ids() -> None:
    assert session_subject("s1") == "session:s1"
    assert run_subject("r1") == "run:r1"


def test_a_batch_is_as_large_as_its_messages_wherever_it_is_counted() -> None:
    one, other = (batch_of(*(f"{name}{number}" for number in range(50))) for name in "ab")
    sent = sum(buffer.size for buffer in pack(one))
    assert sent * 0.9 <= one.nbytes <= sent * 1.1
    assert unpack(pack(one)).nbytes == sent
    joined = MappedBatch.concat([one, other])
    assert joined.nbytes == one.nbytes + other.nbytes
    assert joined.reordered(np.arange(100)[::-1]).nbytes == joined.nbytes
    assert joined.reordered(np.arange(10)).nbytes < joined.nbytes / 2
