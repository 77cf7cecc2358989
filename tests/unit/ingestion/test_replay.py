"""A replay maps any mixture of records to the rows they gave the first time."""

import numpy as np
import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.identifiers import ProjectId
from ingestion import replay, scores
from ingestion.otlp import MappingContext
from ingestion.pricing import managed_prices
from tests.unit.ingestion.spans import CONTEXT, RECEIVED_AT, mapped, same_rows, span


def replayed(records: pa.Table) -> MappedBatch:
    return replay.map_records(records, prices=managed_prices())


def mixture() -> MappedBatch:
    other = MappingContext(ProjectId("other"), IngestionFacts(sdk_name="js"), RECEIVED_AT.replace(minute=5))
    body = b'[{"name":"a","value":1,"traceId":"t"},{"name":"b","value":"x","sessionId":"s"}]'
    return MappedBatch.concat(
        [
            mapped(span({"user.id": "u", "langfuse.trace.input": "i"}), span({"x": 1}), scope=("any", "1")).batch,
            scores.map_scores(scores.decode(body).bodies, CONTEXT),
            mapped(span(start_time_unix_nano=0, end_time_unix_nano=0), context=other).batch,
            mapped(span({"langfuse.trace.output": "o"}), resource={"service.name": "s"}).batch,
        ]
    )


def test_a_mixture_of_projects_facts_and_kinds_gives_the_same_rows() -> None:
    batch = mixture()
    assert same_rows(replayed(batch.records), batch)


def test_records_in_another_order_give_the_rows_in_that_order() -> None:
    batch = mixture()
    turned = batch.reordered(np.arange(batch.records.num_rows)[::-1])
    assert same_rows(replayed(turned.records), turned)


def test_records_that_cannot_be_read_are_kept_without_rows() -> None:
    batch = mixture()
    odd = [
        {"kind": kind, "project_id": "p", "subject": "t", "entity_type": type_, "entity_id": "e",
         "received_at": RECEIVED_AT, "facts": facts, "payload": payload}
        for kind, type_, facts, payload in (
            ("event", "span", "{}", b"\xff\xff"), ("event", "span", "{}", b""), ("event", "score", "{}", b"{}"),
            ("event", "score", "{}", b'{"name": 1, "data_type": [], "id": {}}'), ("event", "future", "{}", b"?"),
            ("tombstone", "span", "{}", b""), ("event", "span", "not json", b""),
        )
    ]  # fmt: skip
    records = pa.concat_tables([batch.records, pa.Table.from_pylist(odd, tables.RECORDS)])
    result = replayed(records)
    assert result.records.num_rows == batch.records.num_rows + len(odd)
    assert same_rows(MappedBatch(batch.records, *result.row_tables), batch)


def test_nothing_gives_nothing() -> None:
    assert replayed(tables.RECORDS.empty_table()).observations.num_rows == 0
