"""A blocking connection that is made when it is first used, so that a lane starts while ClickHouse is away."""

from collections.abc import Callable

from clickhouse_connect.driver.client import Client


class DeferredClient:
    """Connects on the first use; a failed attempt raises Unavailable and is repeated by the next use."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._client: Client | None = None

    def get(self) -> Client:
        """The client; raises Unavailable while nothing answers."""
        if self._client is None:
            self._client = self._connect()
        return self._client
