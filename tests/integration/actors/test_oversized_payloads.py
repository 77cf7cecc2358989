"""Payloads too large for rows, by a lane on the real engines: stored, replayed and deleted with their trace."""

from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from actors.lane import AppendStatus, Lane
from heliograph.domain.deletions import Removed, SubjectType
from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.oversized import mark_of
from ingestion import otlp
from ingestion.oversized import put_back
from storage.postgres.deletions import Deletions
from tests.integration.actors.lane_bench import Bench, abandon, append, flushed, replace_settings, running
from tests.integration.actors.test_deletion import delete

_TRACE = (1).to_bytes(16, "big").hex()
_LIGHT = replace_settings(max_row_value_bytes=16 << 10)


def large(bench: Bench, number: int, text: str, trace: int = 1) -> MappedBatch:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    # Attributes of any other scope are repeated among the metadata.
    scope.scope.name = "langfuse-sdk"
    span = scope.spans.add()
    span.trace_id, span.span_id = trace.to_bytes(16, "big"), number.to_bytes(8, "big")
    span.attributes.add(key="langfuse.observation.input").value.string_value = text
    span.attributes.add(key="langfuse.trace.output").value.string_value = text
    context = otlp.MappingContext(bench.project_id, IngestionFacts(), datetime.now(UTC))
    return otlp.map_export(otlp.decode(request.SerializeToString(), otlp.PROTOBUF), context).batch


def stored(bench: Bench) -> list[Any]:
    query = (
        "SELECT o.id, o.input, t.output FROM observations AS o FINAL JOIN traces AS t FINAL ON t.id = o.trace_id "
        "AND t.project_id = o.project_id WHERE o.project_id = {p:String} ORDER BY ALL"
    )
    return list(bench.clickhouse.get().query(query, parameters={"p": bench.project_id}).result_rows)


def whole(bench: Bench, text: str) -> str:
    mark = mark_of(text)
    assert mark is not None
    content = bench.payloads.read(bench.project_id, _TRACE, mark.digest)
    assert content is not None
    return put_back(text, {mark.digest: content})


async def sent(lane: Lane, *batches: MappedBatch) -> None:
    for batch in batches:
        assert await append(lane, batch) is AppendStatus.DURABLE
    await flushed(lane)


async def test_a_large_payload_lies_in_object_storage_and_its_row_holds_a_preview(owned: Bench) -> None:
    text = "long " * 10_000
    async with running(owned.lane(_LIGHT)) as lane:
        await sent(lane, large(owned, 1, text))
        ((_, input_, output),) = stored(owned)
        assert len(input_) < 5_000
        assert whole(owned, input_) == text
        assert whole(owned, output) == text
        # One content of one trace is one object.
        assert len(list(owned.payloads.of_project(owned.project_id))) == 1


async def test_a_replay_after_kill_9_gives_the_same_row(owned: Bench) -> None:
    lane = owned.lane(_LIGHT)
    await lane.start()
    await sent(lane, large(owned, 1, "long " * 10_000))
    before = stored(owned)
    await abandon(lane)
    async with running(owned.lane(_LIGHT)) as again:
        await flushed(again)
        assert stored(owned) == before


async def test_a_deletion_removes_the_objects_of_its_trace_alone(owned: Bench) -> None:
    async with running(owned.lane(_LIGHT)) as lane:
        await sent(lane, large(owned, 1, "long " * 10_000), large(owned, 2, "same " * 10_000, trace=2))
        await sent(lane, large(owned, 3, "same " * 10_000), owned.batch(4, trace=3))
        deletion_id, tombstones = await delete(owned, SubjectType.TRACE, _TRACE, (3).to_bytes(16, "big").hex())
        await sent(lane, tombstones)
        left = list(owned.payloads.of_project(owned.project_id))
        assert [key.owner[9:] for key in left] == [(2).to_bytes(16, "big").hex()]
    removed = (await Deletions(owned.database).get(deletion_id)).removed
    assert removed == Removed(observations=3, traces=2, payloads=2)


async def test_what_is_sent_again_after_its_deletion_keeps_its_object(owned: Bench) -> None:
    text = "long " * 10_000
    async with running(owned.lane(_LIGHT)) as lane:
        await sent(lane, large(owned, 1, text))
        _, tombstones = await delete(owned, SubjectType.TRACE, _TRACE)
        # In one flush: what lies below the tombstone, and the same above it.
        assert await append(lane, tombstones) is AppendStatus.DURABLE
        await sent(lane, large(owned, 1, text))
        ((_, input_, _),) = stored(owned)
        assert whole(owned, input_) == text


async def test_a_projects_deletion_removes_all_of_its_objects(owned: Bench) -> None:
    async with running(owned.lane(_LIGHT)) as lane:
        await sent(lane, large(owned, 1, "long " * 10_000), large(owned, 2, "same " * 10_000, trace=2))
        deletion_id, tombstones = await delete(owned, SubjectType.PROJECT, owned.project_id)
        await sent(lane, tombstones)
        assert list(owned.payloads.of_project(owned.project_id)) == []
    assert (await Deletions(owned.database).get(deletion_id)).removed.payloads == 2
