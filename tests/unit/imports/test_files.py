"""Imports of files: spans of Phoenix and traces of MLflow as OTLP, mapped as any span is."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from heliograph.domain.events import IngestionFacts
from heliograph.domain.identifiers import ProjectId
from heliograph.imports import mlflow, phoenix
from heliograph.imports.report import ImportReport
from ingestion import otlp
from ingestion.otlp import MappingContext
from ingestion.pricing import managed_prices
from tests.unit.imports.platforms import OurServer

TRACE, ROOT, CALL = "0" * 30 + "ab", "0" * 14 + "01", "0" * 14 + "02"
START = datetime(2026, 11, 20, 10, tzinfo=UTC)

PHOENIX: list[dict[str, Any]] = [
    {"context.trace_id": TRACE, "context.span_id": ROOT, "parent_id": None, "name": "chain", "span_kind": "CHAIN",
     "start_time": START, "end_time": START, "status_code": "OK", "status_message": "",
     "attributes.input.value": "hello", "attributes.session.id": "s", "attributes.llm.model_name": None},
    {"context.trace_id": TRACE, "context.span_id": CALL, "parent_id": ROOT, "name": "call", "span_kind": "LLM",
     "start_time": START, "end_time": START, "status_code": "ERROR", "status_message": "too long",
     "attributes.llm.model_name": "gpt-4o", "attributes.llm.token_count.prompt": 3,
     "attributes.llm.token_count.completion": 1},
    {"context.trace_id": "short", "context.span_id": CALL, "parent_id": None, "name": "bad", "span_kind": "LLM",
     "start_time": START, "end_time": START},
]  # fmt: skip


def mapped(ours: OurServer) -> dict[str, dict[str, Any]]:
    """The observations that our mapping makes of the spans."""
    context = MappingContext(ProjectId("p"), IngestionFacts("pk"), START, prices=managed_prices())
    found: dict[str, dict[str, Any]] = {}
    for path, body in ours.posted:
        assert path == "/otel/v1/traces"
        decoded = otlp.decode(json.dumps(body).encode(), otlp.JSON)
        rows = otlp.map_export(decoded, context).batch.observations.to_pylist()
        found |= {row["id"]: row for row in rows}
    return found


def check_phoenix(path: Path) -> None:
    ours, report = OurServer(), ImportReport()
    phoenix.import_spans(path, ours.target(report), report)
    rows = mapped(ours)
    assert (rows[ROOT]["type"], rows[ROOT]["input"], rows[ROOT]["session_id"]) == ("CHAIN", "hello", "s")
    call = rows[CALL]
    assert (call["trace_id"], call["parent_observation_id"], call["type"]) == (TRACE, ROOT, "GENERATION")
    assert (call["provided_model_name"], call["input_tokens"], call["output_tokens"]) == ("gpt-4o", 3, 1)
    assert (call["level"], call["status_message"], call["start_time"]) == ("ERROR", "too long", START)
    assert (report.read["spans"], report.taken["spans"], len(report.refused)) == (3, 2, 1)


def test_a_data_frame_of_phoenix_keeps_ids_times_kinds_and_usage(tmp_path: Path) -> None:
    # Counts that some spans do not have are floating numbers in a data frame.
    pd.DataFrame(PHOENIX).to_parquet(tmp_path / "spans.parquet")
    check_phoenix(tmp_path / "spans.parquet")


def test_lines_of_phoenix_do_so_with_nested_attributes_too(tmp_path: Path) -> None:
    nested = [dict(row) for row in PHOENIX]
    for row in nested:
        row["context"] = {"trace_id": row.pop("context.trace_id"), "span_id": row.pop("context.span_id")}
        row["attributes"] = {
            key.removeprefix("attributes."): row.pop(key) for key in list(row) if key.startswith("attributes.")
        }
    lines = "\n".join(json.dumps(row, default=lambda moment: moment.isoformat()) for row in nested)
    (tmp_path / "spans.jsonl").write_text(lines, "utf-8")
    check_phoenix(tmp_path / "spans.jsonl")


def test_a_trace_of_mlflow_keeps_ids_times_payloads_and_usage(tmp_path: Path) -> None:
    def encoded(digits: str) -> str:
        return base64.b64encode(bytes.fromhex(digits)).decode()

    start = int(START.timestamp()) * 10**9
    times = {"start_time_unix_nano": start, "end_time_unix_nano": start + 10**9}
    root = {
        "trace_id": encoded(TRACE), "span_id": encoded(ROOT), "parent_span_id": None, "name": "agent", **times,
        "attributes": {"mlflow.spanType": '"AGENT"', "mlflow.spanInputs": '{"q": 1}', "mlflow.spanOutputs": '"yes"'},
        "status": {"code": "STATUS_CODE_OK", "message": ""},
    }  # fmt: skip
    call = {
        "trace_id": encoded(TRACE), "span_id": encoded(CALL), "parent_span_id": encoded(ROOT), "name": "call", **times,
        "attributes": {
            "mlflow.spanType": '"CHAT_MODEL"', "mlflow.chat.tokenUsage": '{"input_tokens": 3, "output_tokens": 1}',
            "model": '"gpt-4o"', "temperature": "0.5",
        },
        "status": {"code": "STATUS_CODE_ERROR", "message": "refused"},
    }  # fmt: skip
    info = {
        "trace_id": "tr-1", "tags": {"mlflow.traceName": "question"}, "assessments": [{"name": "right"}],
        "trace_metadata": {"mlflow.trace.session": "s", "mlflow.trace.user": "u"},
    }  # fmt: skip
    (tmp_path / "traces.json").write_text(json.dumps([{"info": info, "data": {"spans": [root, call]}}]), "utf-8")
    ours, report = OurServer(), ImportReport()
    mlflow.import_traces(tmp_path / "traces.json", ours.target(report), report)
    rows = mapped(ours)
    agent, asked = rows[ROOT], rows[CALL]
    assert (agent["type"], agent["input"], agent["output"]) == ("AGENT", '{"q": 1}', "yes")
    assert (agent["trace_name"], agent["session_id"], agent["user_id"]) == ("question", "s", "u")
    assert (asked["type"], asked["parent_observation_id"], asked["provided_model_name"]) == (
        "GENERATION",
        ROOT,
        "gpt-4o",
    )
    assert (asked["input_tokens"], asked["level"], asked["status_message"]) == (3, "ERROR", "refused")
    assert [(one.kind, one.id) for one in report.refused] == [("assessments", "tr-1")]


def test_ids_of_the_older_mlflow_are_numbers_in_hexadecimal(tmp_path: Path) -> None:
    span = {
        "context": {"trace_id": "0xab", "span_id": "0x01"}, "parent_id": None, "name": "old", "status_code": "OK",
        "start_time": 10**18, "end_time": 10**18 + 1, "attributes": {},
    }  # fmt: skip
    (tmp_path / "t.jsonl").write_text(json.dumps({"info": {}, "data": {"spans": [span]}}), "utf-8")
    ours, report = OurServer(), ImportReport()
    mlflow.import_traces(tmp_path / "t.jsonl", ours.target(report), report)
    assert [(one["traceId"], one["spanId"]) for one in ours.spans()] == [(TRACE, ROOT)]
