"""Own spans of the requests of a door."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliograph import tracing

_OWN_EXPORT = tracing.OWN_EXPORT_HEADER.encode()


class Traced:
    """An application of whose requests a sample is traced; exports of our own spans never are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        if scope["type"] != "http" or any(name == _OWN_EXPORT for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
        with tracing.request("request", **attributes) as span:

            async def noting_status(message: Message) -> None:
                if span is not None and message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, noting_status if span is not None else send)
