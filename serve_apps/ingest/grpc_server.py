"""OTLP over gRPC: the same doors as over HTTP, for exporters that speak nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from starlette.datastructures import Headers

from heliograph.domain.errors import HeliographError
from serve_apps import problems
from serve_apps.authentication import Keys, principal_of
from serve_apps.ingest.logs import LogsDoor
from serve_apps.ingest.opentelemetry import OpenTelemetryDoor
from serve_apps.limits import Limits

_TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"
_LOGS = "opentelemetry.proto.collector.logs.v1.LogsService"
_METRICS = "opentelemetry.proto.collector.metrics.v1.MetricsService"
_GRACE_SECONDS = 5.0
# Where the same is served over HTTP, which shares its limit.
_HTTP_PATH = "/v1/traces"
# By the HTTP status of the same problem. Only UNAVAILABLE makes every exporter try again.
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
}

Context = grpc.aio.ServicerContext[bytes, bytes]
Call = Callable[[bytes, Context], Awaitable[bytes]]


class GrpcDoor:
    """Serves the services of OTLP.

    Args:
        keys: where keys are looked up.
        opentelemetry: where exports of traces go.
        logs: where exports of logs go.
        limits: of whoever the keys belong to.
        max_bytes: of one message.
    """

    def __init__(
        self, keys: Keys, opentelemetry: OpenTelemetryDoor, logs: LogsDoor, *, limits: Limits, max_bytes: int
    ) -> None:
        self._keys = keys
        self._limits = limits
        self._opentelemetry = opentelemetry
        self._logs = logs
        self._max_bytes = max_bytes

    @asynccontextmanager
    async def serving(self, address: str) -> AsyncIterator[int]:
        """Serve at the address until the context ends; the port that was bound. Replicas of a node share it."""
        options = (("grpc.max_receive_message_length", self._max_bytes), ("grpc.so_reuseport", 1))
        server = grpc.aio.server(options=options)
        server.add_generic_rpc_handlers(
            tuple(
                _service(name, self._guarded(call))
                for name, call in ((_TRACES, self._traces), (_LOGS, self._log_records), (_METRICS, self._metrics))
            )
        )
        port = server.add_insecure_port(address)
        await server.start()
        try:
            yield port
        finally:
            await server.stop(_GRACE_SECONDS)

    async def _traces(self, message: bytes, context: Context) -> bytes:
        headers = _headers(context)
        principal = await principal_of(headers.get("authorization", ""), self._keys)
        self._limits.admit(principal.project_id, "POST", _HTTP_PATH)
        return await self._opentelemetry.message(message, headers, principal)

    async def _log_records(self, message: bytes, context: Context) -> bytes:
        headers = _headers(context)
        principal = await principal_of(headers.get("authorization", ""), self._keys)
        self._limits.admit(principal.project_id, "POST", _HTTP_PATH)
        return await self._logs.message(message, headers, principal)

    async def _metrics(self, message: bytes, context: Context) -> bytes:
        """Accepted and dropped, as over HTTP."""
        del message
        await principal_of(_headers(context).get("authorization", ""), self._keys)
        return b""

    def _guarded(self, call: Call) -> Call:
        async def guarded(message: bytes, context: Context) -> bytes:
            try:
                return await call(message, context)
            except HeliographError as error:
                await _refuse(context, error)
            return b""

        return guarded


def _service(name: str, export: Call) -> grpc.GenericRpcHandler:
    # Messages stay bytes: the mapping reads them itself.
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    return grpc.method_handlers_generic_handler(name, handlers)


def _headers(context: Context) -> Headers:
    found = context.invocation_metadata() or ()
    texts = [(key.encode(), value.encode()) for key, value in found if isinstance(value, str)]
    return Headers(raw=texts)


async def _refuse(context: Context, error: HeliographError) -> None:
    """Answer with the status of the problem; with the time to wait where trying again makes sense."""
    code = _CODES.get(problems.status_of(error), grpc.StatusCode.INTERNAL)
    if code is grpc.StatusCode.UNAVAILABLE:
        retry = RetryInfo(retry_delay=Duration(seconds=max(1, round(getattr(error, "retry_after", 1.0)))))
        detail = Any()
        detail.Pack(retry)
        status = Status(code=code.value[0], message=str(error), details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    await context.abort(code, str(error))
