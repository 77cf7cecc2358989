"""Payloads too large for rows: whole where one thing is asked for, previews in lists."""

import json
from typing import Any

from heliograph.domain.observations import Observation
from heliograph.domain.oversized import Oversized, digest_of, marked
from serve_apps.api.payloads import WholePayloads
from tests.integration.api.conftest import Api

_TEXT = "a long story " * 5_000
_JSON = json.dumps({"story": _TEXT})


def stored(api: Api, text: str, *, is_json: bool = False) -> str:
    content = text.encode()
    api.payloads.put([Oversized(api.project.id, "t", digest_of(content), content)])
    return marked(text, content, is_json=is_json)


def insert(api: Api) -> None:
    values: dict[str, Any] = {
        "input": stored(api, _JSON),
        "output": "short",
        "metadata": [("story", stored(api, _TEXT)), ("short", "s")],
    }
    api.stored.insert("observations", api.stored.observation("t", "o", **values))
    output = stored(api, json.dumps(_TEXT), is_json=True)
    api.stored.insert("traces", api.stored.trace("t", root_observation_id="o", output=output))


async def test_one_observation_is_answered_whole(api: Api) -> None:
    insert(api)
    found = (await api.client.get("/observations/o")).json()
    assert found["input"] == {"story": _TEXT}
    assert found["output"] == "short"
    assert found["metadata"] == {"story": _TEXT, "short": "s"}


async def test_one_trace_is_answered_whole_with_its_observations(api: Api) -> None:
    insert(api)
    found = (await api.client.get("/traces/t")).json()
    assert found["input"] == {"story": _TEXT}
    assert found["output"] == _TEXT
    assert found["observations"][0]["input"] == {"story": _TEXT}


async def test_lists_show_previews_with_a_mark(api: Api) -> None:
    insert(api)
    for path in ("/observations", "/traces", "/v2/observations?fields=core,io"):
        ((found,), *_) = (await api.client.get(path)).json().values()
        assert len(found["input"]) < 5_000
        assert "@@@heliographPayload:" in found["input"]


async def test_a_preview_stays_where_its_object_is_gone_or_an_answer_would_be_too_large(api: Api) -> None:
    insert(api)
    (key, *_) = [key for key in api.payloads.of_project(api.project.id) if key.digest == digest_of(_JSON.encode())]
    api.payloads.delete(api.project.id, [key])
    assert "@@@heliographPayload:" in (await api.client.get("/observations/o")).json()["input"]


async def test_an_answer_reads_no_more_than_its_bound(api: Api) -> None:
    row = Observation("o", api.project.id, "t", input=stored(api, _TEXT), output=stored(api, _TEXT + "!"))
    (whole,) = await WholePayloads(api.payloads, max_bytes=len(_TEXT) + 10).of_observations([row])
    assert sorted([len(whole.input) > 5_000, len(whole.output) > 5_000]) == [False, True]
