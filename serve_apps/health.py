"""Whether this server lives, and whether it can serve: both ask the stores."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from heliograph.domain.errors import Unavailable
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies, QueryDependencies
from serve_apps.api.parameters import Parameters, Truth
from serve_apps.api.shapes.values import JsonShape
from storage.clickhouse.freshness import has_events_since

RECENT = timedelta(minutes=3)

router = APIRouter(tags=["health"])
StoreState = Literal["OK", "unavailable"]


class StoresShape(JsonShape):
    """Whether each store answers."""

    clickhouse: StoreState
    postgres: StoreState


class HealthShape(JsonShape):
    """How this server is: OK, or what is wrong."""

    status: str
    version: str
    stores: StoresShape


_ILL: dict[int | str, dict[str, Any]] = {503: {"model": HealthShape, "description": "It cannot serve."}}


class HealthParameters(Parameters):
    """What makes this server count as ill."""

    fail_if_database_unavailable: Truth = None
    fail_if_no_recent_events: Truth = None


@router.get("/health", responses=_ILL)
async def health(asked: Annotated[HealthParameters, Query()], dependencies: Dependencies) -> Answer[HealthShape]:
    """200 while this server runs; the parameters make it 503 when the stores are away, or nothing arrived lately."""
    stores = await _stores(dependencies)
    is_away = "unavailable" in stores.values()
    if is_away and (asked.fail_if_database_unavailable or asked.fail_if_no_recent_events):
        return answer({"status": "Database not available", "version": dependencies.version, "stores": stores}, 503)
    if asked.fail_if_no_recent_events and not await has_events_since(
        dependencies.clickhouse, datetime.now(UTC) - RECENT
    ):
        status = f"No events within the last {RECENT.seconds // 60} minutes"
        return answer({"status": status, "version": dependencies.version, "stores": stores}, 503)
    return answer({"status": "OK", "version": dependencies.version, "stores": stores})


@router.get("/ready", responses=_ILL)
async def ready(dependencies: Dependencies) -> Answer[HealthShape]:
    """200 when every store answers, 503 otherwise."""
    stores = await _stores(dependencies)
    is_ready = "unavailable" not in stores.values()
    body: HealthShape = {
        "status": "OK" if is_ready else "Not ready",
        "version": dependencies.version,
        "stores": stores,
    }
    return answer(body, 200 if is_ready else 503)


async def _stores(dependencies: QueryDependencies) -> StoresShape:
    clickhouse, postgres = await asyncio.gather(
        _state(dependencies.clickhouse.ping()), _state(dependencies.database.ping())
    )
    return {"clickhouse": clickhouse, "postgres": postgres}


async def _state(ping: Awaitable[None]) -> StoreState:
    try:
        await ping
    except Unavailable:
        return "unavailable"
    return "OK"
