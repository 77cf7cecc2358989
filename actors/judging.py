"""The actors that all judges share, by name: limiters of providers, and the gate of budgets."""

import asyncio
import contextlib
import hashlib
from typing import Any, cast

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError

from actors.budget import BudgetGate
from actors.directory import NAMESPACE, Task
from actors.rate_limiter import MAX_IN_FLIGHT, RateLimiter
from heliograph import telemetry
from heliograph.domain.budgets import BudgetRequest
from heliograph.domain.errors import HeliographError, Unavailable
from heliograph.domain.pacing import CallCounts, PacingStatus
from heliograph.settings import Settings
from heliograph.source_tree import check_packages
from storage.postgres.budgets import Budgets
from storage.postgres.connection import Database

_RETRY_AFTER_SECONDS = 1.0
_EVALUATIONS = "evaluations"
_TIMEOUT_SECONDS = 30
_BUDGETS = "budgets"
_LIMITER = "rate-limiter-"
_MAX_PENDING_CALLS = 2_000


class BudgetActor:
    """The gate in a process of its own. Its constructor is its recovery: the store has everything."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        telemetry.configure_logs(settings.log_level, _BUDGETS, settings.secret_values)
        self._gate = BudgetGate(Budgets(Database(settings.postgres_dsn)))

    async def request(self, budget_id: str, request: BudgetRequest) -> int:
        """See BudgetGate.request."""
        return await self._gate.request(budget_id, request)


class EvaluationActor:
    """What drives evaluation runs, in a process of its own. Who drives is handed in: it lies above the actors."""

    async def __init__(self, drive: Task, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        check_packages()
        telemetry.configure_logs(settings.log_level, _EVALUATIONS, settings.secret_values)
        self._driving: asyncio.Future[Any] = asyncio.ensure_future(drive(settings))

    async def ping(self) -> None:
        """Return when it lives; raises what ended it."""
        if self._driving.done():
            self._driving.result()


class RayLimiter:
    """Calls of a provider's limiter; whoever needs it first starts it, and one that died starts again, cautiously.

    Args:
        provider: as people know it.
        key: its key, of which the actor's name holds a digest.
        max_in_flight: of the actor, when this call starts it.
    """

    def __init__(self, provider: str, key: str, *, max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self._provider, self._name, self._max_in_flight = provider, _limiter_name(provider, key), max_in_flight
        self._handle: ActorHandle[Any] | None = None

    async def lease(self, holder: str, wanted: int, counts: CallCounts, *, group: str) -> int:
        """See RateLimiter.lease. Raises Unavailable."""
        return cast("int", await self._answer("lease", holder, wanted, counts, group=group))

    async def report(self, holder: str, counts: CallCounts) -> None:
        """See RateLimiter.report. Raises Unavailable."""
        await self._answer("report", holder, counts)

    async def status(self) -> PacingStatus:
        """See RateLimiter.status. Raises Unavailable."""
        return cast("PacingStatus", await self._answer("status"))

    async def _answer(self, method: str, *arguments: object, **named: object) -> object:
        if self._handle is None:
            actor = ray.remote(RateLimiter).options(**_options(self._name))
            self._handle = cast(
                "ActorHandle[Any]", actor.remote(self._provider, max_in_flight=self._max_in_flight)
            )  # fmt: skip
        try:
            return await _answered("The rate limiter", getattr(self._handle, method), *arguments, **named)
        except Unavailable:
            self._handle = None
            raise


class RayBudgets:
    """Calls of the gate of budgets."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._handle: ActorHandle[Any] | None = None

    async def request(self, budget_id: str, request: BudgetRequest) -> int:
        """See BudgetGate.request. Raises Unavailable."""
        if self._handle is None:
            actor = ray.remote(BudgetActor).options(**_options(_BUDGETS))
            self._handle = cast("ActorHandle[Any]", actor.remote(self._settings))
        try:
            return cast("int", await _answered("The budget", self._handle.request, budget_id, request))
        except Unavailable:
            self._handle = None
            raise


async def pacing_of(provider: str, key: str) -> PacingStatus | None:
    """How a provider's limiter stands; None where nothing has asked for slots yet. Raises Unavailable."""
    try:
        limiter = ray.get_actor(_limiter_name(provider, key), NAMESPACE)
    except ValueError:
        return None
    return cast("PacingStatus", await _answered("The rate limiter", limiter.status))


def start_evaluations(settings: Settings, drive: Task) -> None:
    """Have evaluation runs carried out from now on, those that were cut short too; does not wait for the actor."""
    ray.remote(EvaluationActor).options(**_options(_EVALUATIONS)).remote(drive, settings)


def stop_evaluations() -> None:
    """End what is driven, the budgets and the limiters; what was begun is taken up after the next start."""
    for actor in ray.util.list_named_actors(all_namespaces=True):
        name = actor["name"]
        if actor["namespace"] == NAMESPACE and (name in {_EVALUATIONS, _BUDGETS} or name.startswith(_LIMITER)):
            with contextlib.suppress(ValueError):
                ray.kill(ray.get_actor(name, NAMESPACE), no_restart=True)


def _limiter_name(provider: str, key: str) -> str:
    digest = hashlib.sha256(f"{provider}\0{key}".encode()).hexdigest()[:16]
    return f"{_LIMITER}{digest}"


def _options(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": NAMESPACE,
        "lifetime": "detached",
        "get_if_exists": True,
        "num_cpus": 0,
        "max_restarts": -1,
        # What a request did is in the store or in a report: whoever asked repeats it, not Ray.
        "max_task_retries": 0,
        "max_concurrency": _MAX_PENDING_CALLS,
        "max_pending_calls": _MAX_PENDING_CALLS,
    }


async def _answered(actor: str, method: Any, *arguments: object, **named: object) -> object:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await method.remote(*arguments, **named)
    except RayTaskError as error:
        if isinstance(error.cause, HeliographError):
            raise error.cause from error
        raise
    except (RayError, ValueError, TimeoutError) as error:
        raise Unavailable(actor, _RETRY_AFTER_SECONDS) from error
