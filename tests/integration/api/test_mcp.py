"""Agents read and write through the Model Context Protocol, with the key of a project."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

from tests.integration.api.conftest import ORGANIZATION_KEY, SECRET, Api


# No fixture: the client belongs to the task that opened it.
@asynccontextmanager
async def agent_of(api: Api) -> AsyncIterator[Client]:
    """The client of the protocol's own package, before the API."""
    transport = httpx2.ASGITransport(api.app)
    async with (
        httpx2.AsyncClient(transport=transport, base_url="http://here", auth=("pk-lf-1", SECRET)) as http,
        Client(streamable_http_client("http://here/mcp", http_client=http)) as client,
    ):
        yield client


async def told(agent: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await agent.call_tool(tool, arguments)
    assert isinstance(answer, CallToolResult)
    assert not answer.is_error, answer.content
    assert isinstance(answer.structured_content, dict)
    return answer.structured_content


async def refused(agent: Client, tool: str, **arguments: Any) -> str:
    answer = await agent.call_tool(tool, arguments)
    assert isinstance(answer, CallToolResult)
    assert answer.is_error
    return str(answer.content)


async def test_tools_say_what_they_take_and_whether_they_change_anything(api: Api) -> None:
    async with agent_of(api) as agent:
        tools = {tool.name: tool for tool in (await agent.list_tools()).tools}
        assert len(tools) > 30
        read, written = tools["get_trace"], tools["create_prompt"]
        assert read.annotations is not None
        assert read.annotations.read_only_hint
        assert read.input_schema["required"] == ["trace_id"]
        assert written.annotations is not None
        assert not written.annotations.read_only_hint
        assert {"name", "prompt"} <= set(written.input_schema["required"])
        assert all(tool.description for tool in tools.values())
        assert "#/components" not in json.dumps([tool.input_schema for tool in tools.values()])


async def test_an_agent_reads_what_the_project_has(api: Api) -> None:
    async with agent_of(api) as agent:
        api.stored.insert("traces", api.stored.trace("t1", name="asked", input='{"q": 1}'))
        api.stored.insert("observations", api.stored.observation("t1", "o1", output="answered"))
        trace = await told(agent, "get_trace", trace_id="t1")
        assert (trace["name"], trace["input"], trace["observations"][0]["output"]) == ("asked", {"q": 1}, "answered")
        listed = await told(agent, "list_traces", name="asked", limit=1, fields="core")
        assert [each["id"] for each in listed["data"]] == ["t1"]


async def test_an_agent_writes_what_it_reads_then(api: Api) -> None:
    async with agent_of(api) as agent:
        await told(agent, "create_prompt", name="folder/greeting", prompt="Hello {{name}}", labels=["staging"])
        assert (await told(agent, "get_prompt", name="folder/greeting", label="staging"))["prompt"] == "Hello {{name}}"
        await told(agent, "label_prompt", name="folder/greeting", version=1, newLabels=["production"])
        assert (await told(agent, "get_prompt", name="folder/greeting"))["version"] == 1
        await told(agent, "put_dataset", name="questions")
        await told(agent, "put_dataset_item", datasetName="questions", input={"q": "why"})
        listed = await told(agent, "list_dataset_items", datasetName="questions")
        assert [item["input"] for item in listed["data"]] == [{"q": "why"}]


async def test_an_agent_is_told_what_is_wrong(api: Api) -> None:
    async with agent_of(api) as agent:
        assert "Trace nothing not found" in await refused(agent, "get_trace", trace_id="nothing")
        assert "Field required" in await refused(agent, "create_prompt", name="x")
        assert "no argument 'colour'" in await refused(agent, "list_traces", colour="red")
        assert "no tool" in await refused(agent, "delete_everything")


async def test_only_the_key_pair_of_a_project_converses(api: Api) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for auth, status in (
        (httpx2.BasicAuth("pk-lf-1", "wrong"), 401),
        (httpx2.BasicAuth(ORGANIZATION_KEY, SECRET), 403),
    ):
        transport = httpx2.ASGITransport(api.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://here", auth=auth) as http:
            assert (await http.post("/mcp", json=hello)).status_code == status
