"""The query API behind a port, and the client that a script has of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import httpx
import uvicorn

from heliograph.client.connection import Connection, Server
from heliograph.client.project import Project
from tests.integration.api.conftest import SECRET, Api

Found = TypeVar("Found")


@asynccontextmanager
async def serving(api: Api) -> AsyncIterator[Server]:
    """The API's address, while the context lasts."""
    app = cast("httpx.ASGITransport", api.client._transport).app
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    # The API is mounted at its prefix elsewhere.
    app.mount("/api/public", app)  # type: ignore[attr-defined]
    yield Server(f"http://127.0.0.1:{port}", "pk-lf-1", SECRET)
    server.should_exit = True
    await running


async def used(server: Server, ask: Callable[[Project], Found]) -> Found:
    """What a script gets, beside the server's loop."""

    def run() -> Found:
        with Project(Connection(server)) as project:
            return ask(project)

    return await asyncio.to_thread(run)
