"""Scores: validated item by item, typed by the contract's rules, the same score when they are retried."""

import json
from typing import Any

import pytest

from heliograph.domain.errors import MalformedPayload
from heliograph.domain.identifiers import ProjectId
from ingestion import replay, scores
from ingestion.otlp import MappingContext
from ingestion.pricing import managed_prices
from tests.unit.ingestion.spans import CONTEXT, FACTS, RECEIVED_AT, plain, same_rows

VALID = {"name": "quality", "value": 0.5, "traceId": "t"}


def decode(*items: Any) -> scores.DecodedScores:
    return scores.decode(json.dumps(list(items)).encode())


def mapped_row(**fields: Any) -> dict[str, Any]:
    decoded = decode(VALID | fields)
    assert decoded.invalid == []
    return plain(scores.map_scores(decoded.bodies, CONTEXT).scores)[0]


def test_a_single_object_and_an_array_are_told_apart() -> None:
    assert not scores.decode(json.dumps(VALID).encode()).is_list
    assert decode(VALID).is_list


@pytest.mark.parametrize("body", [b"", b"{", b"5", b"\xff"])
def test_what_is_no_score_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        scores.decode(body)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"value": 3}, ("NUMERIC", 3.0, "", "")),
        ({"value": "good"}, ("CATEGORICAL", 0.0, "good", "")),
        ({"value": True}, ("BOOLEAN", 1.0, "True", "")),
        ({"value": 0.0, "dataType": "BOOLEAN"}, ("BOOLEAN", 0.0, "False", "")),
        ({"value": "a note", "dataType": "TEXT"}, ("TEXT", 0.0, "a note", "")),
        ({"value": "better", "dataType": "CORRECTION"}, ("CORRECTION", 0.0, "", "better")),
    ],
)
def test_data_types(fields: dict[str, Any], expected: tuple[str, float, str, str]) -> None:
    found = mapped_row(**fields)
    assert (found["data_type"], found["value"], found["string_value"], found["long_string_value"]) == expected


def test_a_correction_is_named_output() -> None:
    assert mapped_row(value="x", dataType="CORRECTION", name=None)["name"] == "output"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"value": None}, "value"),
        ({"value": "x", "dataType": "NUMERIC"}, "value"),
        ({"value": float("nan")}, "value"),
        ({"value": 2, "dataType": "BOOLEAN"}, "value"),
        ({"value": 1, "dataType": "CATEGORICAL"}, "value"),
        ({"value": "", "dataType": "TEXT"}, "value"),
        ({"value": "x" * 501, "dataType": "TEXT"}, "value"),
        ({"dataType": "ODD"}, "dataType"),
        ({"dataType": ["NUMERIC"]}, "dataType"),
        ({"traceId": None}, "traceId"),
        ({"sessionId": "s"}, "traceId"),
        ({"traceId": None, "sessionId": "s", "observationId": "o"}, "observationId"),
        ({"traceId": None, "sessionId": "s", "dataType": "CORRECTION", "value": "x"}, "traceId"),
        ({"traceId": 5}, "traceId"),
        ({"id": "x" * 801}, "id"),
        ({"id": "a\rb"}, "id"),
        ({"source": "EVAL"}, "source"),
        ({"source": "ANNOTATION"}, "configId"),
        ({"timestamp": "yesterday"}, "timestamp"),
    ],
)
def test_an_invalid_item_is_named_and_costs_no_neighbour(fields: dict[str, Any], field: str) -> None:
    decoded = decode(VALID, VALID | fields, VALID)
    assert len(decoded.bodies) == 2
    assert [(error.index, error.field) for error in decoded.invalid] == [(1, field)]


def test_items_that_are_no_objects_are_invalid() -> None:
    assert [error.index for error in decode(VALID, 5, None).invalid] == [1, 2]


def test_a_score_without_id_is_the_same_score_when_retried() -> None:
    later = MappingContext(ProjectId("project"), FACTS, RECEIVED_AT.replace(hour=23))
    first, retried = (scores.map_scores(decode(VALID).bodies, context) for context in (CONTEXT, later))
    assert first.scores["id"].to_pylist() == retried.scores["id"].to_pylist()
    other = MappingContext(ProjectId("other"), FACTS, RECEIVED_AT)
    ids = {scores.map_scores(decode(item).bodies, context).scores["id"][0].as_py()
           for item, context in ((VALID, CONTEXT), (VALID | {"value": 1}, CONTEXT), (VALID, other))}  # fmt: skip
    assert len(ids) == 3


def test_subjects() -> None:
    items = [VALID, {"name": "a", "value": 1, "sessionId": "s"}, {"name": "a", "value": 1, "datasetRunId": "r"}]
    records = scores.map_scores(decode(*items).bodies, CONTEXT).records
    assert records["subject"].to_pylist() == ["t", "session:s", "run:r"]


def test_times_and_environment() -> None:
    given = mapped_row(timestamp="2026-01-02T03:04:05.000006Z", environment="langfuse-Prod")
    assert (given["timestamp"].microsecond, given["environment"]) == (6, "prod")
    absent = mapped_row()
    assert (absent["timestamp"], absent["environment"]) == (RECEIVED_AT, "default")


def test_metadata_reads_as_it_was_sent() -> None:
    found = mapped_row(metadata={"text": "plain", "digits": "5", "number": 5, "list": [1]})["metadata"]
    assert found == {"text": "plain", "digits": '"5"', "number": "5", "list": "[1]"}


def test_a_replay_gives_the_same_scores() -> None:
    batch = scores.map_scores(decode(VALID, VALID | {"value": "x", "metadata": {"a": "\ud800"}}).bodies, CONTEXT)
    assert same_rows(replay.map_records(batch.records, prices=managed_prices()), batch)


def test_a_score_of_an_evaluator_keeps_the_hash_of_its_version() -> None:
    assert mapped_row(evaluatorVersion="a" * 64)["evaluator_version"] == "a" * 64
    assert mapped_row()["evaluator_version"] == ""
