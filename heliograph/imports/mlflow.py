"""Imports traces that MLflow exports as JSON: one trace, a list of them, or one by line."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from heliograph.imports.report import ImportReport
from heliograph.imports.spans import nanoseconds, span
from heliograph.imports.target import ImportTarget, Json

_TRACE_BYTES, _SPAN_BYTES = 16, 8
_TYPES = {
    "LLM": "generation", "CHAT_MODEL": "generation", "EMBEDDING": "embedding", "TOOL": "tool", "AGENT": "agent",
    "CHAIN": "chain", "RETRIEVER": "retriever", "RERANKER": "retriever", "EVALUATOR": "evaluator",
    "GUARDRAIL": "guardrail",
}  # fmt: skip
_USAGE = {"input_tokens": "input", "output_tokens": "output", "total_tokens": "total"}
_MODELS = ("mlflow.llm.model", "mlflow.chat.model", "model", "model_name")


def import_traces(path: Path, target: ImportTarget, report: ImportReport) -> None:
    """Send every trace of a file; raises what the connection does, and may be repeated."""
    target.spans("mlflow", _spans(path, report))


def _spans(path: Path, report: ImportReport) -> Iterator[Json]:
    for number, trace in enumerate(_traces(path)):
        report.see("traces")
        name = str(_info(trace).get("trace_id") or _info(trace).get("request_id") or number)
        for found in (trace.get("data") or trace)["spans"]:
            report.see("spans")
            try:
                yield _span(found, _info(trace))
            except (KeyError, TypeError, ValueError) as error:
                report.refuse("spans", name, f"cannot be read: {error!r}")
        if _info(trace).get("assessments"):
            report.refuse("assessments", name, "assessments are not imported")


def _traces(path: Path) -> Iterator[Json]:
    text = path.read_text("utf-8")
    try:
        found = json.loads(text)
    except ValueError:
        yield from (json.loads(line) for line in text.splitlines() if line.strip())
        return
    yield from found if isinstance(found, list) else [found]


def _info(trace: Mapping[str, Any]) -> Mapping[str, Any]:
    info: Mapping[str, Any] = trace.get("info") or {}
    return info


def _span(found: Mapping[str, Any], info: Mapping[str, Any]) -> Json:
    told = {key: _decoded(value) for key, value in (found.get("attributes") or {}).items()}
    context = found.get("context") or found
    parent = found.get("parent_span_id") or found.get("parent_id") or ""
    ids = (
        _id(context["trace_id"], _TRACE_BYTES),
        _id(context["span_id"], _SPAN_BYTES),
        _id(parent, _SPAN_BYTES) if parent else "",
    )
    start = nanoseconds(found.get("start_time_unix_nano", found.get("start_time")))
    if start is None:
        raise ValueError("no start")
    times = (start, nanoseconds(found.get("end_time_unix_nano", found.get("end_time"))))
    attributes = _attributes(told) | ({} if parent else _of_trace(info))
    return span(ids, str(found.get("name") or ""), times, attributes=attributes, status=_status(found))


def _attributes(told: Mapping[str, Any]) -> dict[str, Any]:
    kind = _TYPES.get(str(told.get("mlflow.spanType", "")), "span")
    usage = told.get("mlflow.chat.tokenUsage") or {}
    attributes = {
        "langfuse.observation.type": kind,
        "langfuse.observation.input": _text(told.get("mlflow.spanInputs")),
        "langfuse.observation.output": _text(told.get("mlflow.spanOutputs")),
        "langfuse.observation.model.name": next((told[name] for name in _MODELS if told.get(name)), None),
    }
    if usage:
        counted = {ours: usage[theirs] for theirs, ours in _USAGE.items() if theirs in usage}
        attributes["langfuse.observation.usage_details"] = json.dumps(counted)
    others = {key: value for key, value in told.items() if not key.startswith("mlflow.")}
    return attributes | {f"langfuse.observation.metadata.{key}": value for key, value in others.items()}


def _of_trace(info: Mapping[str, Any]) -> dict[str, Any]:
    tags = info.get("tags") or {}
    metadata = info.get("trace_metadata") or info.get("request_metadata") or {}
    own = {f"langfuse.trace.metadata.{key}": value for key, value in tags.items() if not key.startswith("mlflow.")}
    return own | {
        "langfuse.trace.name": tags.get("mlflow.traceName"),
        "user.id": metadata.get("mlflow.trace.user"),
        "session.id": metadata.get("mlflow.trace.session"),
    }


def _status(found: Mapping[str, Any]) -> Json:
    status = found.get("status") or {}
    code = status.get("code") if isinstance(status, Mapping) else found.get("status_code")
    message = status.get("message") if isinstance(status, Mapping) else found.get("status_message")
    is_error = str(code or found.get("status_code") or "").endswith("ERROR")
    return {"code": 2 if is_error else 1, "message": message or ""}


def _id(text: str, length: int) -> str:
    """An id in hexadecimal: MLflow 3 writes the bytes in base64, MLflow 2 a number."""
    if text.startswith("0x"):
        return text[2:].zfill(2 * length)
    if len(text) == 2 * length:
        return bytes.fromhex(text).hex()
    found = base64.b64decode(text, validate=True)
    if len(found) != length:
        raise ValueError(text)
    return found.hex()


def _decoded(value: Any) -> Any:
    """Attributes are JSON texts in MLflow's exports."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
