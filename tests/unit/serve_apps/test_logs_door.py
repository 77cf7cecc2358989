"""The door of OTLP logs through its front: what is kept, what is only counted, and how it is answered."""

import httpx
import pytest

from heliograph.domain.errors import Unavailable
from heliograph.settings import IngestSettings
from serve_apps.ingest.dependencies import Appends, HeardLogs, IngestDependencies
from tests.unit.ingestion.logs import export, record
from tests.unit.ingestion.spans import SPAN_ID
from tests.unit.serve_apps.doors import (
    JSON,
    PROTOBUF,
    Failing,
    KeptInMemory,
    KeysInMemory,
    StoredInMemory,
    client,
    in_front_of,
)

LOGS = "/api/public/otel/v1/logs"
CHOICE = record("gen_ai.choice", {"message": {"content": "Paris"}})
LINE = record("", "a line of text")


def door(appends: Appends, heard: HeardLogs) -> httpx.AsyncClient:
    return in_front_of(IngestDependencies(KeysInMemory(), appends, StoredInMemory(), heard_logs=heard))


@pytest.mark.parametrize("path", [LOGS, "/v1/logs"])
async def test_genai_events_are_kept_and_others_counted(path: str) -> None:
    kept, heard = KeptInMemory(), HeardLogs()
    response = await door(kept, heard).post(path, content=export(LINE, CHOICE, LINE), headers=PROTOBUF)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/x-protobuf"
    assert kept.ids() == [SPAN_ID.hex()]
    assert heard.collected() == {"heliograph_log_records_joined": 1, "heliograph_log_records_dropped": 2}


async def test_without_genai_events_nothing_is_kept() -> None:
    kept = KeptInMemory()
    response = await client(kept).post(LOGS, content=export(LINE), headers=PROTOBUF)
    assert response.status_code == 200
    assert kept.batches == []


async def test_json_is_answered_in_json() -> None:
    response = await client().post(LOGS, content=b'{"resourceLogs":[]}', headers=JSON)
    assert (response.status_code, response.json()) == (200, {})


async def test_a_large_export_is_kept_in_parts() -> None:
    kept = KeptInMemory()
    records = [record("gen_ai.user.message", {"content": str(number)}) for number in range(1200)]
    settings = IngestSettings(slice_above_bytes=1_000)
    response = await client(kept, settings=settings).post(LOGS, content=export(*records), headers=PROTOBUF)
    assert response.status_code == 200
    assert [batch.records.num_rows for batch in kept.batches] == [500, 500, 200]


@pytest.mark.parametrize(("body", "status"), [(b"\xff", 400), (export(CHOICE), 503)], ids=["broken", "not durable"])
async def test_what_cannot_be_kept_is_not_acknowledged(body: bytes, status: int) -> None:
    heard = HeardLogs()
    failing = Failing(Unavailable("The ingestion lane", 1.0))
    response = await door(failing, heard).post(LOGS, content=body, headers=PROTOBUF)
    assert response.status_code == status
    assert heard.joined == 0


async def test_without_a_valid_key_nothing_is_kept() -> None:
    kept = KeptInMemory()
    response = await client(kept).post(LOGS, content=export(CHOICE), headers=PROTOBUF, auth=("pk-lf-nobody", "wrong"))
    assert response.status_code == 401
    assert kept.batches == []
