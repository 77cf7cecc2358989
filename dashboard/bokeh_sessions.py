"""What Bokeh's sessions need besides: an end, whole messages, and a document that is filled before it goes out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

from bokeh.document import Document
from bokeh.util.token import get_session_id
from bokeh_fastapi.handler import WSHandler

_open_session, _send_frames = WSHandler._async_open, WSHandler.send_message  # noqa: SLF001 the class has no public seam
_fillings: WeakKeyDictionary[Document, asyncio.Future[None]] = WeakKeyDictionary()


def mend_websockets() -> None:
    """Have the handlers of bokeh-fastapi 0.1.8 do what they do not."""
    WSHandler._receive_loop = _receive_until_closed  # noqa: SLF001
    WSHandler._async_open = _open_when_filled  # noqa: SLF001
    WSHandler.send_message = _send_in_turn


def fill(document: Document, load: Callable[[], Awaitable[None]]) -> None:
    """Begin to fill a document, whose browser gets it when that is done: meanwhile it fetches what draws it.

    What changes while a browser takes the document could be lost to it, so that the rest has to wait for `onload`.
    """
    _fillings[document] = asyncio.ensure_future(load())


async def _open_when_filled(handler: Any, socket: Any, token: str) -> None:
    context = handler.application_context
    session = await context.create_session_if_needed(get_session_id(token), socket.scope, token)
    filling = _fillings.pop(session.document, None)
    if filling is not None:
        await filling
    await _open_session(handler, socket, token)


async def _receive_until_closed(handler: Any) -> None:
    # Bokeh-fastapi misreads a closed websocket, so that its session would stay for ever.
    try:
        while (event := await handler._socket.receive())["type"] == "websocket.receive":  # noqa: SLF001
            fragment = event["bytes"] if event.get("text") is None else event["text"]
            await _process(handler, fragment)
    finally:
        handler.application.client_lost(handler.connection)


async def _send_in_turn(handler: Any, message: Any) -> int:
    # A message is several frames, between which those of another could come.
    turn: asyncio.Lock = vars(handler).setdefault("_turn", asyncio.Lock())
    async with turn:
        return int(await _send_frames(handler, message))


async def _process(handler: Any, fragment: str | bytes) -> None:
    message = await handler._receive(fragment)  # noqa: SLF001
    if message is None:
        return
    answer = await handler._handle(message)  # noqa: SLF001
    if answer:
        await handler.send_message(answer)
