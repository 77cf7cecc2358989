"""What is meant to break out of a query: refused, or compared as the text that it is, and never part of a statement."""

from typing import Any

import httpx
import orjson
import pytest

from tests.integration.api.conftest import Api

INJECTIONS = (
    "name'; DROP TABLE traces; --",
    "' OR 1=1 --",
    "x') OR project_id != '' --",
    "1; SELECT * FROM system.users",
    "name UNION ALL SELECT * FROM system.tables",
    "{project_id:String}",
    "$where",
    "%(project_id)s",
    "`name`",
    '"name"',
    "name\\' OR sleep(3)",
    "name/**/OR/**/1=1",
    "toString(sleep(3))",
    "(SELECT groupArray(name) FROM system.tables)",
    "$$heredoc$$",
    "\x00name",
    "naïve\N{FULLWIDTH APOSTROPHE} OR 1",
)
# They would take a backtracking matcher for ever.
REGEXES = ("(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*a){25}", "(?i)(x+x+)+y", "[" * 500, "(?:" * 200)
PERIOD = {"fromTimestamp": "2026-11-20T00:00:00Z", "toTimestamp": "2026-11-21T00:00:00Z"}
QUERY = {"view": "observations", "metrics": [{"measure": "count", "aggregation": "count"}], **PERIOD}


class Noted:
    """An API whose statements are noted."""

    def __init__(self, api: Api) -> None:
        self.client = api.client
        self.statements: list[str] = []
        self._read = api.stored.clickhouse.read
        api.stored.clickhouse.read = self.read  # type: ignore[method-assign]

    async def read(self, sql: str, parameters: Any) -> Any:
        self.statements.append(sql)
        return await self._read(sql, parameters)

    async def filtered(self, path: str, *conditions: Any) -> httpx.Response:
        return await self.client.get(path, params={"filter": orjson.dumps(conditions).decode()})

    async def asked(self, **parts: Any) -> httpx.Response:
        return await self.client.get("/v2/metrics", params={"query": orjson.dumps(QUERY | parts).decode()})


@pytest.fixture
def noted(api: Api) -> Noted:
    api.stored.insert("traces", api.stored.trace("t"))
    api.stored.insert("observations", api.stored.observation("t", "o"))
    return Noted(api)


async def test_names_come_from_lists_only(noted: Noted) -> None:
    for hostile in INJECTIONS:
        answers = await asked_as_names(noted, hostile)
        assert [each.status_code for each in answers] == [400] * len(answers), hostile
    assert noted.statements == []


async def asked_as_names(noted: Noted, hostile: str) -> list[httpx.Response]:
    condition = {"type": "string", "column": hostile, "operator": "=", "value": "x"}
    return [
        await noted.filtered("/traces", condition),
        await noted.filtered("/observations", condition),
        await noted.filtered("/v2/observations", condition),
        await noted.client.get("/traces", params={"orderBy": f"{hostile}.asc"}),
        await noted.asked(view=hostile),
        await noted.asked(dimensions=[{"field": hostile}]),
        await noted.asked(metrics=[{"measure": hostile, "aggregation": "sum"}]),
        await noted.asked(metrics=[{"measure": "latency", "aggregation": hostile}]),
        await noted.asked(filters=[condition]),
        await noted.asked(filters=[{"type": "string", "column": "name", "operator": hostile, "value": "x"}]),
        await noted.asked(orderBy=[{"field": hostile, "direction": "asc"}]),
        await noted.asked(orderBy=[{"field": "count_count", "direction": hostile}]),
        await noted.asked(timeDimension={"granularity": hostile}),
        await noted.asked(config={"bins": hostile}),
        await noted.asked(config={"row_limit": hostile}),
        await noted.asked(fromTimestamp=hostile),
    ]


async def test_values_are_compared_as_they_are(noted: Noted) -> None:
    for hostile in (*INJECTIONS, *REGEXES):
        await ask_as_values(noted, hostile)
        ours = {"$where", "{project_id:String}"}
        assert not [sql for sql in noted.statements if hostile in sql and hostile not in ours]
    assert noted.statements


async def ask_as_values(noted: Noted, hostile: str) -> None:
    conditions = [
        {"type": "string", "column": "name", "operator": operator, "value": hostile}
        for operator in ("=", "contains", "starts with", "ends with")
    ] + [
        {"type": "stringOptions", "column": "name", "operator": "any of", "value": [hostile, "x"]},
        {"type": "arrayOptions", "column": "tags", "operator": "all of", "value": [hostile]},
        {"type": "stringObject", "column": "metadata", "key": hostile, "operator": "contains", "value": hostile},
        {"type": "categoryOptions", "column": "metadata", "key": hostile, "operator": "any of", "value": [hostile]},
    ]
    for path in ("/traces", "/v2/observations"):
        got = await noted.filtered(path, *conditions)
        assert (got.status_code, got.json()["data"]) == (200, []), got.text
    counted = await noted.asked(filters=conditions)
    assert counted.json()["data"] == [{"count_count": "0"}]
    matched = {"type": "string", "column": "output", "operator": "matches", "value": hostile}
    assert (await noted.filtered("/v2/observations", matched)).json()["data"] == []
    simple = {"userId": hostile, "name": hostile, "tags": hostile, "environment": hostile}
    assert (await noted.client.get("/traces", params=simple)).json()["data"] == []


async def test_long_lists_and_texts_are_refused(noted: Noted) -> None:
    many = {"type": "stringOptions", "column": "name", "operator": "any of", "value": ["x"] * 1001}
    long = {"type": "string", "column": "name", "operator": "=", "value": "x" * 20_000}
    repeated = {"type": "string", "column": "name", "operator": "=", "value": "x"}
    for conditions in ([many], [long], [repeated] * 101):
        assert (await noted.filtered("/traces", *conditions)).status_code == 400
        assert (await noted.filtered("/v2/observations", *conditions)).status_code == 400
        assert (await noted.asked(filters=conditions)).status_code == 400
    assert (await noted.client.get("/traces", params={"tags": ["x"] * 1001})).status_code == 400
    assert noted.statements == []


async def test_the_longest_text_and_list_that_are_taken_reach_the_server(noted: Noted) -> None:
    for letter in ("'", "\\", "\0", "é", "\N{PILE OF POO}"):
        await ask_at_length(noted, letter)


async def ask_at_length(noted: Noted, letter: str) -> None:
    room = 19_000 // len(orjson.dumps(letter).decode().strip('"').encode())
    text = {"type": "string", "column": "name", "operator": "=", "value": letter * room}
    options = {"type": "stringOptions", "column": "name", "operator": "any of", "value": [letter * 10] * (room // 20)}
    for condition in (text, options):
        got = await noted.filtered("/traces", condition)
        assert (got.status_code, got.json().get("data")) == (200, []), got.text


@pytest.mark.parametrize("text", ["[" * 10_000, '{"a":' * 3_000, "[" * 5_000 + "]" * 5_000, "{", "null", '"x"', "\x00"])
async def test_what_is_nested_deeply_or_broken_is_refused(noted: Noted, text: str) -> None:
    assert (await noted.client.get("/traces", params={"filter": text})).status_code == 400
    assert (await noted.client.get("/v2/observations", params={"filter": text})).status_code == 400
    assert (await noted.client.get("/v2/metrics", params={"query": text})).status_code == 400
    inside = orjson.dumps(QUERY).decode()[:-1] + ',"filters":' + text + "}"
    assert (await noted.client.get("/v2/metrics", params={"query": inside})).status_code == 400
    assert noted.statements == []
