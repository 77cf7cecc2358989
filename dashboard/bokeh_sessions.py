"""Lets Bokeh's sessions end: bokeh-fastapi 0.1.8 misreads a closed websocket, so that sessions would stay for ever."""

from typing import Any

from bokeh_fastapi.handler import WSHandler


def release_closed_sessions() -> None:
    """Give every websocket handler a receive loop that detaches the session when the browser has gone."""
    WSHandler._receive_loop = _receive_until_closed  # noqa: SLF001 the class has no public seam


async def _receive_until_closed(handler: Any) -> None:
    try:
        while (event := await handler._socket.receive())["type"] == "websocket.receive":  # noqa: SLF001
            fragment = event["bytes"] if event.get("text") is None else event["text"]
            await _process(handler, fragment)
    finally:
        handler.application.client_lost(handler.connection)


async def _process(handler: Any, fragment: str | bytes) -> None:
    message = await handler._receive(fragment)  # noqa: SLF001
    if message is None:
        return
    answer = await handler._handle(message)  # noqa: SLF001
    if answer:
        await handler.send_message(answer)
