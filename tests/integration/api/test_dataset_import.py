"""Imports into datasets through the API."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from heliograph.dataset_import import DatasetImport, import_file, import_frame
from heliograph.dataset_rows import BadRow, ColumnChoice, ItemRow
from heliograph.domain.errors import InvalidRequest, KeyUnknown
from tests.integration.api.conftest import SECRET, Api
from tests.integration.api.test_datasets import QUESTION, create, error_of, listed, put


class Bridge(httpx.BaseTransport):
    """Lets a client that blocks, in a thread, talk to the application on the loop."""

    def __init__(self, api: Api) -> None:
        self.answers: list[httpx.Response] = []
        self._api = api
        self._loop = asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.answers:
            return self.answers.pop(0)
        headers = {name: value for name, value in request.headers.items() if name in {"authorization", "content-type"}}
        path = request.url.raw_path.decode().removeprefix("/api/public")
        sending = self._api.client.request(request.method, path, content=request.read(), headers=headers, auth=None)
        answer = asyncio.run_coroutine_threadsafe(sending, self._loop).result(60)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def blocking(bridge: Bridge, secret: str = SECRET) -> httpx.Client:
    return httpx.Client(transport=bridge, base_url="http://here/api/public", auth=("pk-lf-1", secret))


async def test_a_batch_tells_each_item_that_is_refused_by_its_place(api: Api) -> None:
    await create(api, "batch", inputSchema=QUESTION)
    await create(api, "other")
    await put(api, "other", id="elsewhere")
    sent: list[dict[str, Any]] = [
        {"id": "b1", "input": {"question": "1"}},
        {"id": "b2", "input": {"question": 2}},
        {"id": "elsewhere", "input": {"question": "3"}},
        {"id": "b1", "input": {"question": "4"}},
    ]
    answer = await api.client.post("/dataset-items/batch", json={"datasetName": "batch", "items": sent})
    assert answer.status_code == 207
    assert answer.json() == {
        "successes": [{"index": 0, "id": "b1"}, {"index": 3, "id": "b1"}],
        "errors": [
            {"index": 1, "field": "input",
             "message": "input: item 'b2', at $.question: 2 is not of type 'string'"},
            {"index": 2, "field": "id", "message": "id: 'elsewhere' is an item of another dataset"},
        ],
    }  # fmt: skip
    assert [item["input"] for item in await listed(api, datasetName="batch")] == [{"question": "4"}]
    many = {"datasetName": "batch", "items": [{}] * 501}
    assert error_of(await api.client.post("/dataset-items/batch", json=many)) == (400, "items")
    missing = {"datasetName": "missing", "items": [{}]}
    assert (await api.client.post("/dataset-items/batch", json=missing)).status_code == 404


async def test_a_file_is_imported_with_a_report_for_each_bad_row(api: Api, tmp_path: Path) -> None:
    await create(api, "files", inputSchema=QUESTION)
    rows = [json.dumps({"id": f"row {number}", "input": {"question": str(number)}}) for number in range(450)]
    rows[10] = "nonsense"
    rows[20] = json.dumps({"input": {"question": 20}})
    rows[30] = json.dumps({"id": "x" * 256, "input": {"question": "30"}})
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(rows))
    report = await asyncio.to_thread(import_file, path, "files", client=blocking(Bridge(api)))
    assert report.imported == 447
    assert [(bad.number, bad.reason.split(":")[0]) for bad in report.bad] == [
        (11, "is not JSON"), (21, "input"), (31, "items.0.id"),
    ]  # fmt: skip
    page = (await api.client.get("/dataset-items", params={"datasetName": "files", "page": 5, "limit": 100})).json()
    assert (page["meta"]["totalItems"], page["data"][-1]["id"]) == (447, "row 449")
    again = await asyncio.to_thread(import_file, path, "files", client=blocking(Bridge(api)))
    page = (await api.client.get("/dataset-items", params={"datasetName": "files"})).json()
    assert (again.imported, page["meta"]["totalItems"]) == (447, 447)


async def test_a_frame_is_imported_into_a_dataset_that_is_created(api: Api) -> None:
    frame = pd.DataFrame({"question": ["a", "b"], "answer": [1.0, float("nan")]})
    choice = ColumnChoice(input=("question",), expected_output=("answer",))
    report = await asyncio.to_thread(import_frame, frame, "frames/new", choice=choice, client=blocking(Bridge(api)))
    assert (report.imported, report.bad) == (2, [])
    found = [(item["input"], item["expectedOutput"]) for item in await listed(api, datasetName="frames/new")]
    assert found == [("a", 1.0), ("b", None)]


async def test_an_import_waits_as_long_as_it_is_told(api: Api) -> None:
    bridge, bad, waited = Bridge(api), list[BadRow](), list[float]()
    bridge.answers = [httpx.Response(429, headers={"retry-after": "3"}), httpx.Response(503)]
    importing = DatasetImport(blocking(bridge), "waiting", bad.append, sleep=waited.append)
    assert await asyncio.to_thread(importing.run, [ItemRow(1, {"input": 1})]) == 1
    assert (waited, bad) == ([3.0, 2.0], [])


async def test_what_no_row_is_to_blame_for_ends_the_import(api: Api) -> None:
    frame = pd.DataFrame({"input": [1]})
    with pytest.raises(KeyUnknown):
        await asyncio.to_thread(import_frame, frame, "any", client=blocking(Bridge(api), "wrong"))
    with pytest.raises(InvalidRequest, match="name"):
        await asyncio.to_thread(import_frame, frame, "a|b", client=blocking(Bridge(api)))
