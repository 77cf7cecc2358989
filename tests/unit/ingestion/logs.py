"""OTLP exports of logs to test with, built with OpenTelemetry's own messages."""

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from tests.unit.ingestion.spans import SPAN_ID, START, TRACE_ID, Attributes, any_value, key_values


def record(name: str, body: Any = None, attributes: Attributes | None = None, **fields: Any) -> LogRecord:
    """A record of the event that bears this name, on the span of `spans.span`."""
    known: dict[str, Any] = {
        "time_unix_nano": START, "trace_id": TRACE_ID, "span_id": SPAN_ID, "event_name": name,
        "body": any_value(body), "attributes": key_values(attributes or {}),
    }  # fmt: skip
    return LogRecord(**(known | fields))


def export(*records: LogRecord) -> bytes:
    logs = ResourceLogs(scope_logs=[ScopeLogs(log_records=records)])
    return ExportLogsServiceRequest(resource_logs=[logs]).SerializeToString()
