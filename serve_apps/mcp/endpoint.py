"""The Model Context Protocol over streamable HTTP: each call of a tool is a request to its route, with the same key."""

import json
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI, Request, Response
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
)
from starlette.types import Receive, Scope, Send

from serve_apps.authentication import ProjectPrincipal
from serve_apps.mcp.tools import RouteTool, tools_of

MAX_BODY_BYTES = 4_500_000
_INSTRUCTIONS = "Traces, scores, prompts and datasets of one project of Heliograph: that of the key you were given."
_Context = ServerRequestContext[Any, Request]

router = APIRouter(tags=["mcp"])


class AgentTools:
    """The tools of an application, and what calls them."""

    def __init__(self, app: FastAPI) -> None:
        self._tools: dict[str, RouteTool] = {}
        self._app = app
        self.server: Server[Any] = Server(
            "heliograph",
            version=app.version,
            instructions=_INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )

    @property
    def tools(self) -> dict[str, RouteTool]:
        """By name; made when they are first asked for, since the document takes a while."""
        self._tools = self._tools or tools_of(self._app.openapi())
        return self._tools

    async def _list(self, context: _Context, asked: PaginatedRequestParams | None) -> ListToolsResult:
        del context, asked
        return ListToolsResult(tools=[each.tool for each in self.tools.values()])

    async def _call(self, context: _Context, asked: CallToolRequestParams) -> CallToolResult:
        tool = self.tools.get(asked.name)
        if tool is None:
            return _told(f"There is no tool {asked.name!r} here", is_error=True)
        arguments = asked.arguments or {}
        unknown = arguments.keys() - tool.tool.input_schema["properties"].keys()
        if unknown:
            return _told(f"{asked.name} has no argument {min(unknown)!r}", is_error=True)
        path, query, body = tool.request(arguments)
        authorization = context.request.headers["authorization"] if context.request else ""
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://heliograph") as client:
            headers = {"authorization": authorization}
            answer = await client.request(tool.method, path, params=query, json=body, headers=headers)
        return _told(answer.text, is_error=not answer.is_success)


class _Conversation(Response):
    """Hands the rest of a request to the protocol.

    A manager for each: nothing is kept between requests, so that any replica may answer the next one.
    """

    def __init__(self, server: Server[Any]) -> None:
        super().__init__()
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the protocol does."""
        manager = StreamableHTTPSessionManager(
            self._server, json_response=True, stateless=True, max_request_body_size=MAX_BODY_BYTES
        )
        async with manager.run():
            await manager.handle_request(scope, receive, send)


def install(app: FastAPI) -> None:
    """Serve the tools of the application."""
    app.state.agent_tools = AgentTools(app)


# Nothing else is needed: who keeps no conversation has nothing to say unasked, and answers GET and DELETE with 405.
@router.post("/mcp")
async def call_tools(request: Request, principal: ProjectPrincipal) -> Response:
    """The Model Context Protocol: messages of an agent's client, answered as JSON."""
    del principal
    tools: AgentTools = request.app.state.agent_tools
    return _Conversation(tools.server)


def _told(text: str, *, is_error: bool) -> CallToolResult:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    structured = found if isinstance(found, dict) else None
    return CallToolResult(content=[TextContent(text=text)], structured_content=structured, is_error=is_error)
