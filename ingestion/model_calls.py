"""Calls of models that the platform makes itself, as the spans that an application would send of them."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingestion import otlp
from ingestion.attributes.timing import microseconds
from ingestion.own_spans import own_export, own_span

_SCOPE = "heliograph"


@dataclass(frozen=True, kw_only=True)
class ModelCall:
    """One call.

    Attributes:
        trace_id, span_id: of its generation, which is a trace of its own.
        name: what it is called.
        environment: where it is kept apart.
        first_at: when its first word came.
        usage: tokens by kind.
        error: why there is no answer, or no whole one.
        prompt: name and version of the prompt that it was made of.
        attributes: whatever else its span has.
    """

    trace_id: str = field(default_factory=lambda: secrets.token_hex(16))
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    name: str
    environment: str
    user_id: str
    model: str
    messages: Sequence[Mapping[str, Any]]
    parameters: Mapping[str, Any]
    output: Any
    usage: Mapping[str, int]
    started_at: datetime
    first_at: datetime | None
    ended_at: datetime
    error: str = ""
    prompt: tuple[str, int] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


def export_of(calls: Sequence[ModelCall]) -> otlp.ExportTraceServiceRequest:
    """The calls as one export."""
    return own_export([_span(call) for call in calls], _SCOPE)


def _span(call: ModelCall) -> Span:
    times = (microseconds(call.started_at) * 1000, microseconds(call.ended_at) * 1000)
    ids = (call.trace_id, call.span_id)
    return own_span(ids, call.name, times=times, attributes=_attributes(call), error=call.error)


def _attributes(call: ModelCall) -> dict[str, str]:
    name, version = call.prompt or ("", 0)
    return {
        "langfuse.environment": call.environment,
        "langfuse.trace.name": call.name,
        "user.id": call.user_id,
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": call.model,
        "langfuse.observation.model.parameters": as_json(call.parameters) if call.parameters else "",
        "langfuse.observation.input": as_json(call.messages),
        "langfuse.observation.output": call.output if isinstance(call.output, str) else as_json(call.output),
        "langfuse.observation.usage_details": as_json(call.usage) if call.usage else "",
        "langfuse.observation.completion_start_time": call.first_at.isoformat() if call.first_at else "",
        "langfuse.observation.prompt.name": name,
        "langfuse.observation.prompt.version": str(version) if name else "",
        **call.attributes,
    }


def as_json(value: Any) -> str:
    """A value as the attributes of spans hold it."""
    return json.dumps(value, ensure_ascii=False)
