"""What a replica measures of itself, whichever door it is: requests by status, and how long its loop was held."""

from collections import Counter
from collections.abc import Callable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliograph.measures import Sample, samples
from serve_apps.companions import Companion, accompanied
from serve_apps.loop_lag import LoopLag

Collect = Callable[[], dict[str, float]]


class ReplicaMeter:
    """The counts of one replica.

    Args:
        door: the application's name.
        replica: which of its replicas; another one has other counters.
    """

    def __init__(self, door: str, replica: str) -> None:
        self._labels = {"door": door, "replica": replica}
        self._collected: list[Collect] = []
        self.source = f"{door} {replica}"
        self.lag = LoopLag()
        self.statuses: Counter[int] = Counter()

    def add(self, collect: Collect) -> None:
        """Report these values too, by the names of their metrics."""
        self._collected.append(collect)

    async def samples(self) -> list[Sample]:
        """Everything now; the lag is the greatest since they were last asked for."""
        found = samples({"heliograph_loop_lag_seconds": self.lag.take_peak()}, **self._labels)
        for collect in self._collected:
            found += samples(collect(), **self._labels)
        for status, count in sorted(self.statuses.items()):
            found += samples({"heliograph_http_requests": count}, **self._labels, status=str(status))
        return found


class Metered:
    """An application whose requests are counted, and whose companions run as long as it does."""

    def __init__(self, app: ASGIApp, meter: ReplicaMeter, companions: Sequence[Companion] = ()) -> None:
        self._app = app
        self._meter = meter
        self._companions = companions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        if scope["type"] == "http":
            await self._app(scope, receive, self._counting(send))
        elif scope["type"] == "lifespan":
            async with self._meter.lag.sampled(), accompanied(self._companions):
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _counting(self, send: Send) -> Send:
        statuses = self._meter.statuses

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses[message["status"]] += 1
            await send(message)

        return counting
