"""Two clients that send at a steady rate through any fault: OpenTelemetry's exporter, and one that never gives up."""

import asyncio
import json
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from tests.benchmarks.ceiling import rows_of
from tests.benchmarks.load import PATH, SPANS_PER_TRACE, Target, Template

_RETRIED = {429, 502, 503, 504}
_RETRY_SECONDS = 0.5
_TIMEOUT_SECONDS = 15.0
# An acknowledgement that took longer belongs to the disturbance.
_SLOW_SECONDS = 1.0
_COST = Decimal("0.000125")


@dataclass(frozen=True)
class Acknowledged:
    """A request that was answered with success."""

    begun_at: float
    ended_at: float
    ids: tuple[str, ...]


@dataclass
class Ledger:
    """What one client has sent and what came of it; times are of the monotonic clock."""

    costs: dict[str, Decimal] = field(default_factory=dict)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    failed_at: list[float] = field(default_factory=list)
    given_up: int = 0

    @property
    def spans(self) -> int:
        """How many spans were acknowledged."""
        return sum(len(one.ids) for one in self.acknowledged)

    def recovered_at(self, since: float) -> float | None:
        """When the client was served again after a disturbance at `since`, or nothing if it is not yet."""
        disturbed_until = max((at for at in self.failed_at if at >= since), default=since)
        served = [one.ended_at for one in self.acknowledged if one.begun_at >= disturbed_until]
        if not served:
            return None
        slow = [
            one.ended_at
            for one in self.acknowledged
            if one.ended_at > since and one.ended_at - one.begun_at > _SLOW_SECONDS
        ]
        if disturbed_until == since and not slow:
            return since
        return max(min(served), *slow) if slow else min(served)


class PersistentClient:
    """Sends a request again until it is acknowledged, as a careful client of our own would."""

    def __init__(self, target: Target, project_id: str, requests: Sequence[Template], spans_per_second: float) -> None:
        self.ledger = Ledger()
        self._target = target
        self._requests = requests
        self._pause = requests[0].spans / spans_per_second
        self._costs = [rows_of(template, project_id)["total_cost"].to_pylist() for template in requests]
        self._must_stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Return when the last request is acknowledged."""
        self._must_stop.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        login = (self._target.public_key, self._target.secret_key)
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=16)
        waiting: set[asyncio.Task[None]] = set()
        async with httpx.AsyncClient(
            base_url=self._target.url, auth=login, timeout=_TIMEOUT_SECONDS, limits=limits
        ) as http:
            number = 0
            while not self._must_stop.is_set():
                # A client buffers what it cannot send, within bounds.
                if len(waiting) < 64:
                    waiting.add(task := asyncio.create_task(self._deliver(http, number % len(self._requests))))
                    task.add_done_callback(waiting.discard)
                    number += 1
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._must_stop.wait(), self._pause)
            await asyncio.gather(*waiting)

    async def _deliver(self, http: httpx.AsyncClient, index: int) -> None:
        template = self._requests[index]
        traces, spans = template.fresh_ids()
        body = template.filled(traces, spans)
        ids = tuple(span.tobytes().hex() for span in spans)
        self.ledger.costs.update(zip(ids, self._costs[index], strict=True))
        while True:
            begun_at = time.monotonic()
            if await self._post(http, body):
                self.ledger.acknowledged.append(Acknowledged(begun_at, time.monotonic(), ids))
                return
            self.ledger.failed_at.append(time.monotonic())
            await asyncio.sleep(_RETRY_SECONDS)

    async def _post(self, http: httpx.AsyncClient, body: bytes) -> bool:
        try:
            answer = await http.post(PATH, content=body, headers={"content-type": "application/x-protobuf"})
        except httpx.TransportError:
            return False
        if answer.status_code not in _RETRIED | {200}:
            raise RuntimeError(f"unexpected status {answer.status_code}: {answer.text[:200]}")
        return answer.status_code == 200


class _Witness(SpanExporter):
    """Notes what the exporter behind it, which is not ours, makes of each batch."""

    def __init__(self, exporter: SpanExporter, ledger: Ledger) -> None:
        self._exporter = exporter
        self._ledger = ledger

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See SpanExporter.export."""
        begun_at = time.monotonic()
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            ids = tuple(format(span.context.span_id, "016x") for span in spans)
            self._ledger.acknowledged.append(Acknowledged(begun_at, time.monotonic(), ids))
        else:
            self._ledger.failed_at.append(time.monotonic())
        return result

    def shutdown(self) -> None:
        """See SpanExporter.shutdown."""
        self._exporter.shutdown()


class StandardExporter:
    """A program with OpenTelemetry's SDK as it comes: BatchSpanProcessor and OTLPSpanExporter with their defaults."""

    def __init__(self, target: Target, spans_per_second: float) -> None:
        self.ledger = Ledger()
        login = b64encode(f"{target.public_key}:{target.secret_key}".encode()).decode()
        exporter = OTLPSpanExporter(f"{target.url}{PATH}", headers={"Authorization": f"Basic {login}"})
        self._provider = TracerProvider(resource=Resource.create({"service.name": "chaos"}))
        self._provider.add_span_processor(BatchSpanProcessor(_Witness(exporter, self.ledger)))
        self._pause = SPANS_PER_TRACE / spans_per_second
        self._must_stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to make spans."""
        self._thread.start()

    async def stop(self) -> None:
        """Return when every span was exported or given up."""
        self._must_stop.set()
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._provider.shutdown)
        self.ledger.given_up = len(self.ledger.costs) - self.ledger.spans

    def _run(self) -> None:
        tracer = self._provider.get_tracer("chaos")
        details = {"langfuse.observation.cost_details": json.dumps({"total": float(_COST)})}
        while not self._must_stop.wait(self._pause):
            with tracer.start_as_current_span("request", attributes=details) as root:
                self._sent(root.get_span_context().span_id)
                for _ in range(SPANS_PER_TRACE - 1):
                    with tracer.start_as_current_span("step", attributes=details) as step:
                        self._sent(step.get_span_context().span_id)

    def _sent(self, span_id: int) -> None:
        self.ledger.costs[format(span_id, "016x")] = _COST


Sender = PersistentClient | StandardExporter
