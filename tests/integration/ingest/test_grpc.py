"""OTLP over gRPC, called by an exporter that knows nothing of ours."""

from base64 import b64encode
from collections.abc import AsyncIterator

import grpc.aio
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from heliograph.domain.errors import Overloaded
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import Appends, IngestDependencies
from tests.unit.ingestion.logs import export as export_of_logs
from tests.unit.ingestion.logs import record
from tests.unit.ingestion.spans import SPAN_ID
from tests.unit.serve_apps.doors import (
    KEY,
    SECRET,
    Failing,
    KeptInMemory,
    KeysInMemory,
    StoredInMemory,
    export,
    free_port,
    span,
    span_id,
)

KEY_PAIR = (("authorization", "Basic " + b64encode(f"{KEY}:{SECRET}".encode()).decode()),)


class Served:
    """The application's gRPC server and a channel to it."""

    def __init__(self, appends: Appends) -> None:
        self._address = f"127.0.0.1:{free_port()}"
        dependencies = IngestDependencies(KeysInMemory(), appends, StoredInMemory(), grpc_address=self._address)
        self._lifespan = ingest_application(dependencies).router.lifespan_context

    async def __aenter__(self) -> grpc.aio.Channel:
        self._running = self._lifespan(None)
        await self._running.__aenter__()
        self._channel = grpc.aio.insecure_channel(self._address)
        return self._channel

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close(None)
        await self._running.__aexit__(None, None, None)


@pytest.fixture
def kept() -> KeptInMemory:
    return KeptInMemory()


@pytest.fixture
async def traces(kept: KeptInMemory) -> AsyncIterator[TraceServiceStub]:
    async with Served(kept) as channel:
        yield _traces(channel)


def _traces(channel: grpc.aio.Channel) -> TraceServiceStub:
    return TraceServiceStub(channel)  # type: ignore[no-untyped-call]


def _metrics(channel: grpc.aio.Channel) -> MetricsServiceStub:
    return MetricsServiceStub(channel)  # type: ignore[no-untyped-call]


def request(*numbers: int) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(export(*map(span, numbers)))


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_an_export_is_kept(traces: TraceServiceStub, kept: KeptInMemory, compression: grpc.Compression) -> None:
    answer = await traces.Export(request(1, 2), metadata=KEY_PAIR, compression=compression)
    assert answer.partial_success.rejected_spans == 0
    assert kept.ids() == [span_id(1), span_id(2)]


async def test_a_large_export_is_kept_in_parts(traces: TraceServiceStub, kept: KeptInMemory) -> None:
    await traces.Export(request(*range(1, 6001)), metadata=KEY_PAIR)
    assert len(kept.batches) > 1
    assert len(kept.ids()) == 6000


async def test_a_span_without_valid_ids_is_named_and_costs_no_neighbour(
    traces: TraceServiceStub, kept: KeptInMemory
) -> None:
    sent = request(1, 2)
    sent.resource_spans[0].scope_spans[0].spans[0].span_id = b"short"
    answer = await traces.Export(sent, metadata=KEY_PAIR)
    assert answer.partial_success.rejected_spans == 1
    assert "spanId" in answer.partial_success.error_message
    assert kept.ids() == [span_id(2)]


@pytest.mark.parametrize(
    "metadata", [(), (("authorization", "Basic " + b64encode(b"pk-lf-known:wrong").decode()),)], ids=["none", "wrong"]
)
async def test_without_a_valid_key_nothing_is_kept(
    traces: TraceServiceStub, kept: KeptInMemory, metadata: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await traces.Export(request(1), metadata=metadata)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert kept.batches == []


async def test_an_overloaded_server_tells_when_to_try_again() -> None:
    async with Served(Failing(Overloaded(3.0))) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _traces(channel).Export(request(1), metadata=KEY_PAIR)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    (details,) = (value for key, value in refused.value.trailing_metadata() if key == "grpc-status-details-bin")
    retry = RetryInfo()
    assert Status.FromString(details).details[0].Unpack(retry)
    assert retry.retry_delay.seconds == 3


async def test_metrics_are_accepted(kept: KeptInMemory) -> None:
    async with Served(kept) as channel:
        await _metrics(channel).Export(ExportMetricsServiceRequest(), metadata=KEY_PAIR)


async def test_genai_events_from_logs_are_kept(kept: KeptInMemory) -> None:
    sent = ExportLogsServiceRequest.FromString(export_of_logs(record("gen_ai.choice", {"message": {"content": "hi"}})))
    async with Served(kept) as channel:
        await LogsServiceStub(channel).Export(sent, metadata=KEY_PAIR)  # type: ignore[no-untyped-call]
    assert kept.ids() == [SPAN_ID.hex()]
