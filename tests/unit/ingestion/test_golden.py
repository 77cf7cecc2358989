"""What Langfuse's Python SDK 5.0.4 really sent, captured from the wire."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from ingestion import otlp, scores
from tests.unit.ingestion.spans import CONTEXT, plain

GOLDEN = Path(__file__).with_name("golden")


def observations() -> dict[str, dict[str, Any]]:
    body = (GOLDEN / "langfuse_python_5_0_4.pb").read_bytes()
    result = otlp.map_export(otlp.decode(body, otlp.PROTOBUF), CONTEXT)
    assert result.rejected == []
    return {found["name"]: found for found in plain(result.batch.observations)}


def test_every_observation_arrives_with_its_type_and_its_traces_attributes() -> None:
    found = observations()
    assert {name: each["type"] for name, each in found.items()} == {
        "search": "RETRIEVER", "answer": "GENERATION", "second": "GENERATION", "lookup": "TOOL", "warn": "SPAN",
        "clicked": "EVENT", "support-agent": "AGENT",
    }  # fmt: skip
    names = ("trace_name", "user_id", "session_id", "tags", "environment", "release", "version", "trace_metadata")
    for each in found.values():
        assert [each[name] for name in names] == [
            "support", "user-17", "session-3", ["beta", "shop"], "production", "r1", "2.1", {"tenant": '"acme"'},
        ]  # fmt: skip


def test_the_root() -> None:
    root = observations()["support-agent"]
    assert (root["parent_observation_id"], root["is_app_root"]) == ("", True)
    assert (root["input"], root["output_preview"]) == ('{"question": "Where is my parcel?"}', "It arrives tomorrow.")
    user = {key: root["metadata"][key] for key in ("tier", "n", "nested", "tenant")}
    assert user == {"tier": '"gold"', "n": "5", "nested": '{"a":[1,2]}', "tenant": '"acme"'}


def test_a_generation_with_provided_cost() -> None:
    answer = observations()["answer"]
    assert answer["provided_model_name"] == "gpt-4o-mini"
    assert answer["model_parameters"] == '{"temperature": 0.2, "max_tokens": 200}'
    assert answer["usage_details"] == {"input": 120, "output": 18, "input_cached_tokens": 40, "total": 178}
    assert answer["total_cost"] == Decimal("0.003")
    assert answer["completion_start_time"].microsecond == 674_789
    assert answer["input_preview"] == "Where is my parcel?"


def test_a_generation_with_inferred_cost() -> None:
    second = observations()["second"]
    assert second["usage_details"] == {"input": 70, "output": 20, "total": 120, "input_cached_tokens": 30}
    assert second["total_cost"] == Decimal("0.0004125")
    assert second["metadata"]["metadata"] == '"plain"'
    assert second["output"] == 'yo "x" é'


def test_levels() -> None:
    found = observations()
    assert (found["lookup"]["level"], found["lookup"]["status_message"]) == ("ERROR", "ValueError: parcel not found")
    assert (found["warn"]["level"], found["warn"]["status_message"]) == ("WARNING", "slow")


def test_scores() -> None:
    decoded = scores.decode((GOLDEN / "langfuse_python_5_0_4_scores.json").read_bytes())
    found = scores.map_scores(decoded.bodies, CONTEXT).scores.to_pylist()
    assert [(each["name"], each["data_type"], each["value"], each["string_value"]) for each in found] == [
        ("helpful", "BOOLEAN", 1.0, "True"),
        ("q", "NUMERIC", 0.5, ""),
        ("cat", "CATEGORICAL", 0.0, "good"),
    ]
