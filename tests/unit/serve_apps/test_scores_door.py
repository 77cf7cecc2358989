"""The scores door through its front: one score, arrays, what is invalid, and who may send."""

import json

import pytest

from heliograph.domain.errors import Overloaded
from heliograph.settings import IngestSettings
from tests.unit.serve_apps.doors import JSON, KEY, SCORES, Failing, KeptInMemory, client

VALID = {"id": "score-1", "name": "quality", "value": 0.5, "traceId": "trace-1"}


async def test_single_score_is_answered_with_its_id() -> None:
    kept = KeptInMemory()
    response = await client(kept).post(SCORES, json=VALID)
    assert (response.status_code, response.json()) == (200, {"id": "score-1"})
    assert kept.ids() == ["score-1"]


async def test_score_without_an_id_gets_the_same_one_when_it_is_sent_again() -> None:
    body = {"name": "quality", "value": 0.5, "traceId": "trace-1"}
    answers = [(await client().post(SCORES, json=body)).json()["id"] for _ in range(2)]
    assert answers[0]
    assert answers[0] == answers[1]


async def test_array_of_valid_scores_is_accepted() -> None:
    kept = KeptInMemory()
    response = await client(kept).post(SCORES, json=[VALID, VALID | {"id": "score-2"}])
    assert (response.status_code, response.json()) == (202, {"message": "Accepted"})
    assert kept.ids() == ["score-1", "score-2"]


async def test_invalid_items_of_an_array_are_named_and_the_others_kept() -> None:
    kept = KeptInMemory()
    response = await client(kept).post(SCORES, json=[VALID, {"name": "no value", "traceId": "t"}, "odd"])
    assert response.status_code == 207
    answer = response.json()
    assert (answer["accepted"], answer["rejected"]) == (1, 2)
    assert [error["message"].split(":")[0] for error in answer["errors"]] == ["Score 1", "Score 2"]
    assert "value" in answer["errors"][0]["message"]
    assert kept.ids() == ["score-1"]


async def test_array_of_invalid_scores_only_is_answered_and_keeps_nothing() -> None:
    kept = KeptInMemory()
    response = await client(kept).post(SCORES, json=[{}])
    assert (response.status_code, response.json()["accepted"]) == (207, 0)
    assert kept.batches == []


async def test_empty_array_is_accepted() -> None:
    assert (await client().post(SCORES, json=[])).status_code == 202


@pytest.mark.parametrize(
    ("change", "field"),
    [({"value": None}, "value"), ({"name": ""}, "name"), ({"traceId": 5}, "traceId"), ({"source": "EVAL"}, "source")],
)
async def test_invalid_single_score_is_a_400_that_names_the_field(change: dict[str, object], field: str) -> None:
    response = await client().post(SCORES, json=VALID | change)
    assert response.status_code == 400
    assert response.json()["message"] == "Invalid request data"
    assert response.json()["error"][0]["path"] == [field]
    assert field in response.json()["error"][0]["message"]


@pytest.mark.parametrize("body", [b"", b"nope", b"5", b"null", b"\xff\xfe"])
async def test_body_that_is_no_score_is_a_400(body: bytes) -> None:
    response = await client().post(SCORES, content=body, headers=JSON)
    assert response.status_code == 400
    assert response.json()["message"].startswith("The request body cannot be read")


async def test_large_array_is_kept_in_parts() -> None:
    kept = KeptInMemory()
    scores = [VALID | {"id": f"score-{number}"} for number in range(2500)]
    response = await client(kept, settings=IngestSettings(slice_above_bytes=1000)).post(SCORES, json=scores)
    assert response.status_code == 202
    assert kept.ids() == [f"score-{number}" for number in range(2500)]
    assert len(kept.batches) == 3


async def test_public_key_alone_may_write_scores() -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    response = await client().post(SCORES, content=json.dumps(VALID), headers=headers, auth=lambda request: request)
    assert (response.status_code, response.json()) == (200, {"id": "score-1"})


async def test_full_buffer_is_a_429() -> None:
    response = await client(Failing(Overloaded(1.0))).post(SCORES, json=[VALID])
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
