"""`/metrics`: what every process of the stack has reported, as Prometheus reads it."""

import hmac
from collections.abc import Iterable
from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from actors.metrics_board import Board
from heliograph.domain.errors import AccessDenied
from heliograph.measures import METRICS, Kind, Sample

# HAProxy brings `/metrics` here: it is below the API's prefix, under a name that the contract has not.
PATH = "/heliograph-metrics"

router = APIRouter(tags=["metrics"], include_in_schema=False)


class Scrape:
    """Who may read the metrics: whoever has the operator's token; without a token, whoever reaches loopback.

    Args:
        board: where processes report.
        token: of the operator, or nothing.
        is_private: whether the origin listens on loopback alone.
    """

    def __init__(self, board: Board, *, token: str, is_private: bool) -> None:
        self._board = board
        self._token = token
        self._is_private = is_private

    async def text(self, authorization: str) -> bytes:
        """The metrics in Prometheus's text form.

        Raises:
            AccessDenied: the token is wrong, or there is none though the origin is open to others.
        """
        self._admit(authorization)
        return exposition(await self._board.samples())

    def _admit(self, authorization: str) -> None:
        if not self._token:
            if self._is_private:
                return
            reason = "Set HELIOGRAPH_METRICS_TOKEN, and send it as a Bearer token: this address is open to others."
            raise AccessDenied(reason)
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token.encode()):
            reason = "Send the token of HELIOGRAPH_METRICS_TOKEN as a Bearer token."
            raise AccessDenied(reason)


def install(app: FastAPI, scrape: Scrape) -> None:
    """Serve them."""
    app.state.scrape = scrape
    app.include_router(router)


async def _scrape(request: Request) -> Scrape:
    return cast("Scrape", request.app.state.scrape)


@router.get(PATH)
async def metrics(request: Request, scrape: Annotated[Scrape, Depends(_scrape)]) -> Response:
    """Everything that is measured, in one scrape."""
    text = await scrape.text(request.headers.get("authorization", ""))
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def exposition(reported: Iterable[Sample]) -> bytes:
    """Samples of many processes as one text; metrics that nobody reports are left out."""
    by_metric: dict[str, Metric] = {}
    for sample in reported:
        defined = METRICS[sample.metric]
        family = by_metric.get(sample.metric)
        if family is None:
            family = by_metric[sample.metric] = Metric(sample.metric, defined.meaning, str(defined.kind))
        suffix = sample.suffix or ("_total" if defined.kind is Kind.COUNTER else "")
        family.add_sample(sample.metric + suffix, dict(sample.labels), sample.value)
    registry = CollectorRegistry()
    registry.register(_Gathered([by_metric[name] for name in METRICS if name in by_metric]))
    return generate_latest(registry)


class _Gathered:
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families
