"""Secrets of captured calls are hidden without a rule, and nothing else is."""

import json
from typing import Any

import pytest

from ingestion.batch.events import decode
from ingestion.batch.mapping import map_events
from ingestion.masking import captured
from tests.unit.ingestion.spans import CONTEXT, event, mapped, span

SECRET = "s3cr3tV4lue"

HIDDEN_TEXTS = [
    f"https://ann:{SECRET}@host/path",
    f"postgresql://app:{SECRET}@db:5432/x?sslmode=on",
    f"https://user:pa@{SECRET}@host/",
    f"https://ghp{SECRET}{SECRET}@github.com/a/b",
    f"GET https://host/a?x=1&api_key={SECRET}&y=2 now",
    f"https://b.s3.amazonaws.com/k?X-Amz-Signature={SECRET}",
    f"https://a.blob.core.windows.net/c?sv=1&sig={SECRET}",
    f"https://host/#access_token={SECRET}",
    json.dumps({"headers": {"Authorization": f"Bearer {SECRET}", "accept": "*/*"}}),
    json.dumps({"request": {"headers": {"x-api-key": SECRET, "Cookie": f"sid={SECRET}"}}}),
    json.dumps({"http_headers": [["Authorization", SECRET], ["accept", "*/*"]]}),
    json.dumps({"rawHeaders": ["accept", "*/*", "authorization", SECRET]}),
    json.dumps({"headers": [{"name": "X-Auth-Token", "value": SECRET}]}),
    json.dumps({"headers": f"accept: */*\r\nAuthorization: Basic {SECRET}\r\n"}),
    json.dumps({"authorization": f"Bearer {SECRET}"}),
    json.dumps({"body": json.dumps({"headers": {"authorization": SECRET}})}),
    json.dumps({"url": f"https://host/?a=1&token={SECRET}"}).replace("/", "\\/").replace("&", "\\u0026"),
]
LEFT_TEXTS = [
    "https://host/path?page=2&sort=asc#part",
    "see http://host:8080/a@b, mail ann@host.example // comment key=5",
    json.dumps({"headers": {"content-type": "application/json", "x-request-id": "1"}}),
    json.dumps({"cookie": "chocolate chip", "token": "the", "authorization": "was granted"}),
    json.dumps({"headers": ["Name", "Age"], "rows": [["Authorization", 3]]}),
    "Authorization means: may I?",
    "ssh://git@host/repo",
]
HIDDEN_ATTRIBUTES: list[dict[str, Any]] = [
    {"http.request.header.authorization": [f"Bearer {SECRET}"]},
    {"http.request.header.x-api-key": SECRET},
    {"http.response.header.set_cookie": [SECRET]},
    {"rpc.grpc.request.metadata.authorization": [SECRET]},
    {"url.full": f"https://ann:{SECRET}@host/"},
    {"url.query": f"token={SECRET}&a=1"},
    {"http.target": f"/path?api_key={SECRET}"},
    {"request.headers": {"Authorization": SECRET}},
    {"http.request.headers": json.dumps({"cookie": SECRET})},
    *({"langfuse.observation.input": text} for text in HIDDEN_TEXTS),
    {"langfuse.observation.metadata.call": {"headers": {"authorization": SECRET}}},
]


@pytest.mark.parametrize("text", HIDDEN_TEXTS)
def test_a_text_loses_its_secrets(text: str) -> None:
    masked = captured.text(text)
    assert SECRET not in masked
    assert captured.HIDDEN in masked
    assert captured.text(masked) == masked


@pytest.mark.parametrize("text", LEFT_TEXTS)
def test_a_text_without_secrets_stays(text: str) -> None:
    assert captured.text(text) == text


@pytest.mark.parametrize("filling", ["", "filling " * 1000], ids=["small", "large"])
@pytest.mark.parametrize("attributes", HIDDEN_ATTRIBUTES)
def test_no_attribute_keeps_a_secret(attributes: dict[str, Any], filling: str) -> None:
    batch = mapped(span({"before": filling, **attributes}, name="kept"), span({"plain": "stays"})).batch
    found = str(batch.observations.to_pylist()) + str(batch.records.to_pylist())
    assert SECRET not in found
    assert "kept" in found
    assert "stays" in found


def test_no_other_part_of_an_export_keeps_a_secret() -> None:
    url = f"https://ann:{SECRET}@host/"
    sent = span({}, name=url, events=[event("call", {"http.request.header.cookie": SECRET, "at": url})])
    batch = mapped(sent, resource={"endpoint": url}, scope=("scope", url)).batch
    assert SECRET not in str(batch.observations.to_pylist()) + str(batch.records.to_pylist())


def test_a_captured_span_keeps_its_other_attributes() -> None:
    sent = span({"http.request.header.authorization": SECRET, "n": 5, "langfuse.observation.input": "x"})
    (row,) = mapped(sent).batch.observations.to_pylist()
    metadata = dict(row["metadata"])
    assert row["input"] == "x"
    assert "5" in str(metadata)


@pytest.mark.parametrize("text", HIDDEN_TEXTS)
def test_no_event_of_a_batch_keeps_a_secret(text: str) -> None:
    body = {"id": "t", "traceId": "t", "input": text, "metadata": {"deep": [text]}, "unknown": text}
    sent = [
        {"id": "1", "type": "trace-create", "timestamp": "2026-11-28T10:00:00Z", "body": body},
        {"id": "2", "type": "span-create", "timestamp": "2026-11-28T10:00:00Z", "body": body | {"id": "s"}},
        {
            "id": "3", "type": "score-create", "timestamp": "2026-11-28T10:00:00Z",
            "body": {"traceId": "t", "name": "n", "value": 1, "comment": text},
        },
    ]  # fmt: skip
    batch = map_events(decode(json.dumps({"batch": sent}).encode()).events, CONTEXT)
    assert batch.records.num_rows == 3
    assert all(SECRET not in str(table.to_pylist()) for table in (batch.records, *batch.row_tables))


@pytest.mark.parametrize("text", HIDDEN_TEXTS)
def test_what_holds_a_secret_is_suspect_in_every_form(text: str) -> None:
    assert captured.is_suspect(text.encode())
    assert captured.is_suspect(json.dumps([json.dumps(text)]).encode())


@pytest.mark.parametrize("text", ["https://host/path?page=2", "the leader of the header", "a@b // c"])
def test_what_holds_none_costs_no_second_look(text: str) -> None:
    assert not captured.is_suspect(text.encode())
