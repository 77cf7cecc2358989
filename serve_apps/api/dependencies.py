"""What the query API needs from outside, and the readers of the caller's project that its routes ask for."""

from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.applications import Starlette

import heliograph
from ingestion.pricing import PriceBooks, managed_prices
from serve_apps.authentication import Keys, ProjectPrincipal
from serve_apps.companions import Companion
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Observations
from storage.clickhouse.scores import Scores
from storage.clickhouse.traces import Traces
from storage.postgres.connection import Database


@dataclass(frozen=True)
class QueryDependencies:
    """The stores to read, the keys to check, the prices and version to show, and what runs beside the requests."""

    clickhouse: ClickHouse
    database: Database
    keys: Keys
    prices: PriceBooks = field(default_factory=managed_prices)
    version: str = heliograph.__version__
    companions: tuple[Companion, ...] = ()


def install(app: Starlette, dependencies: QueryDependencies) -> None:
    """Give the application what its routes depend on."""
    app.state.dependencies = dependencies


# Asynchronous though they wait for nothing: FastAPI runs a plain function in a thread.
async def _dependencies(request: Request) -> QueryDependencies:
    return cast("QueryDependencies", request.app.state.dependencies)


Dependencies = Annotated[QueryDependencies, Depends(_dependencies)]


async def _traces(dependencies: Dependencies, principal: ProjectPrincipal) -> Traces:
    return Traces(dependencies.clickhouse, principal.project_id)


async def _observations(dependencies: Dependencies, principal: ProjectPrincipal) -> Observations:
    return Observations(dependencies.clickhouse, principal.project_id)


async def _scores(dependencies: Dependencies, principal: ProjectPrincipal) -> Scores:
    return Scores(dependencies.clickhouse, principal.project_id)


ProjectTraces = Annotated[Traces, Depends(_traces)]
ProjectObservations = Annotated[Observations, Depends(_observations)]
ProjectScores = Annotated[Scores, Depends(_scores)]
