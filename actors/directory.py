"""The directory of actors: with `judging.py`, the only file that knows Ray's names, options and get-or-create."""

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, cast

import pyarrow as pa
import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.deletion_requests import DeletionRequests
from actors.lane import AppendOutcome, AppendStatus, Lane, LaneStores, PackedAppend
from actors.lane_client import LaneClient
from actors.lane_measures import LaneMeasures
from actors.maintenance import Chore, Maintenance
from actors.metrics_board import MetricsBoard, Reporter
from actors.recost_stage import RecostCounts
from actors.remap_stage import Remade
from actors.resharding import Resharding
from heliograph import telemetry, tracing
from heliograph.domain.errors import HeliographError, Unavailable
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import LaneFenced, ReshardingRunning
from heliograph.domain.lanes import LaneMap
from heliograph.garbage import collect_rarely
from heliograph.measures import Sample
from heliograph.settings import Settings
from heliograph.source_tree import check_packages
from ingestion import replay
from ingestion.batch import observations
from ingestion.project_prices import ProjectPrices
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.contributions import Contributions
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.deletions import RowDeletions
from storage.clickhouse.payload_marks import PayloadMarks
from storage.clickhouse.priced_rows import CostChanges
from storage.clickhouse.writer import Writer
from storage.objects import connection as objects
from storage.objects.payloads import PayloadObjects
from storage.objects.raw_log import RawLog
from storage.postgres.connection import Database
from storage.postgres.deletions import Deletions
from storage.postgres.lanes import LaneRegistry
from storage.postgres.media import AllMedia
from storage.postgres.models import AllModels
from storage.postgres.resharding import LaneMapChanges

NAMESPACE = "heliograph"
_RETRY_AFTER_SECONDS = 2.0
_MAX_PENDING_CALLS = 2_000
_START_TIMEOUT_SECONDS = 90
_STOP_TIMEOUT_SECONDS = 40
_RESERVED_BYTES = 64 << 20
# A lane that is starting keeps its callers waiting; no exporter waits longer than this.
_APPEND_TIMEOUT_SECONDS = 30
_POLL_SECONDS = 0.2
# Long enough for the callers of a fenced owner to get their 503 before it goes.
_EXIT_AFTER_SECONDS = 1.0
_MAINTENANCE = "maintenance"
_METRICS = "metrics"
_BOARD_TIMEOUT_SECONDS = 5
_MAINTENANCE_NICENESS = 10

# What a chore does, given the settings; it lies above the actors, so it is handed in.
Task = Callable[[Settings], Awaitable[Any]]


class LaneActor:
    """A lane in a process of its own. Ray restarts it by running the constructor, which is its recovery."""

    async def __init__(self, number: int, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        check_packages()
        telemetry.configure_logs(settings.log_level, _name(LaneNumber(number)), settings.secret_values)
        lane = LaneNumber(number)
        tracing.configure_traces(settings.telemetry, "lane")
        clickhouse = DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url))
        database = Database(settings.postgres_dsn)
        store = objects.connect(settings.s3, settings.s3_url)
        prices = self._prices = ProjectPrices(AllModels(database))
        stores = LaneStores(
            log=RawLog(store, settings.s3.bucket, lane),
            writer=Writer(clickhouse),
            contributions=Contributions(clickhouse),
            rows=RowDeletions(clickhouse),
            registry=LaneRegistry(database),
            deletions=Deletions(database),
            media=AllMedia(database),
            payloads=PayloadObjects(store, settings.s3.bucket, ThreadPoolExecutor(4, "payloads")),
            marks=PayloadMarks(clickhouse),
            costs=CostChanges(clickhouse),
            remap=lambda records: replay.map_records(records, prices=prices),
            compose=lambda merged: observations.rows(merged, prices),
        )
        self._lane = Lane(lane, stores, settings.lanes, on_fenced=self._exit_soon)
        await self._start()
        self._measures = LaneMeasures()
        self._reporting = asyncio.create_task(Reporter(_name(lane), self._samples, RayBoard()).run())
        self._watching = asyncio.create_task(self._lane.handover.watch(lambda: resume_resharding(settings)))
        collect_rarely()

    async def append(self, appends: Sequence[PackedAppend], map_version: int) -> list[AppendOutcome]:
        """See Lane.append."""
        return await self._lane.append(appends, map_version)

    async def remap(self, buffers: Sequence[pa.Buffer], map_version: int, *, is_trial: bool) -> Remade | None:
        """See Lane.remap."""
        return await self._lane.remap(buffers, map_version, is_trial=is_trial)

    async def recost(self, project_id: ProjectId, repriced: pa.Table, map_version: int) -> RecostCounts | None:
        """See Lane.recost."""
        return await self._lane.recost(project_id, repriced, map_version)

    async def status(self) -> dict[str, Any]:
        """See Lane.status."""
        return {**await self._lane.status(), "pid": os.getpid()}

    async def give_up(self, map_version: int, projects: Sequence[ProjectId]) -> None:
        """See Handover.give_up."""
        await self._lane.handover.give_up(map_version, projects)

    async def take_over(self, map_version: int, generations: Mapping[ProjectId, int]) -> None:
        """See Handover.take_over."""
        await self._lane.handover.take_over(map_version, generations)

    async def adopt(self) -> int:
        """See Handover.adopt."""
        return await self._lane.handover.adopt()

    async def stop(self) -> None:
        """See Lane.stop."""
        self._watching.cancel()
        await self._lane.stop()

    async def _samples(self) -> list[Sample]:
        return self._measures.samples(await self._lane.status())

    async def _start(self) -> None:
        """Take over once the log and the registry answer: Ray restarts no actor whose constructor failed."""
        while True:
            try:
                # A replay prices events anew, and must not do so without the definitions of their projects.
                await self._prices.refresh()
                await self._lane.start()
            except LaneFenced:
                # A newer owner: whether this process is needed is for Ray to decide, which restarts what dies so.
                os._exit(1)
            except Unavailable as error:
                telemetry.logger("lane").warning("lane_cannot_start_yet", reason=str(error))
                await asyncio.sleep(_RETRY_AFTER_SECONDS)
            else:
                self._following = asyncio.create_task(self._prices.run())
                return

    def _exit_soon(self) -> None:
        asyncio.get_running_loop().call_later(_EXIT_AFTER_SECONDS, os._exit, 1)


class MaintenanceActor:
    """The chores in a process of their own, which yields to those on the way of an event."""

    async def __init__(self, chores: Sequence[tuple[str, float, Task]], settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        telemetry.configure_logs(settings.log_level, _MAINTENANCE, settings.secret_values)
        os.nice(_MAINTENANCE_NICENESS)
        self._maintenance = Maintenance([Chore(name, every, partial(run, settings)) for name, every, run in chores])
        self._maintenance.start()

    async def status(self) -> dict[str, Any]:
        """See Maintenance.status."""
        return {**self._maintenance.status(), "pid": os.getpid()}

    async def stop(self) -> None:
        """See Maintenance.stop."""
        await self._maintenance.stop()


class RayLane:
    """A call to a lane's actor; one that died or is full is resolved again once."""

    def __init__(self, number: LaneNumber) -> None:
        self._number = number
        self._handle: ActorHandle[Any] | None = None

    async def append(self, appends: Sequence[PackedAppend], map_version: int) -> list[AppendOutcome]:
        """One outcome for each append.

        Raises:
            Unavailable: the actor cannot be reached, or has too many calls waiting.
        """
        for _ in range(2):
            try:
                async with asyncio.timeout(_APPEND_TIMEOUT_SECONDS):
                    outcomes = await self._resolved().append.remote(appends, map_version)
            except TimeoutError:
                break
            except (RayError, ValueError):
                self._handle = None
                continue
            if any(outcome.status is AppendStatus.FENCED for outcome in outcomes):
                self._handle = None
                continue
            return cast("list[AppendOutcome]", outcomes)
        raise Unavailable("The ingestion lane", _RETRY_AFTER_SECONDS)

    async def remap(self, buffers: Sequence[pa.Buffer], map_version: int, *, is_trial: bool) -> Remade | None:
        """See Lane.remap; raises Unavailable also when the actor cannot be reached."""
        return cast("Remade | None", await self._step("remap", buffers, map_version, is_trial=is_trial))

    async def recost(self, project_id: ProjectId, repriced: pa.Table, map_version: int) -> RecostCounts | None:
        """See Lane.recost; raises Unavailable also when the actor cannot be reached."""
        return cast("RecostCounts | None", await self._step("recost", project_id, repriced, map_version))

    async def give_up(self, map_version: int, projects: Sequence[ProjectId]) -> None:
        """See Handover.give_up; raises Unavailable when the actor cannot be reached."""
        await self._step("give_up", map_version, projects)

    async def take_over(self, map_version: int, generations: Mapping[ProjectId, int]) -> None:
        """See Handover.take_over; raises Unavailable when the actor cannot be reached."""
        await self._step("take_over", map_version, generations)

    async def adopt(self) -> int:
        """See Handover.adopt; raises Unavailable when the actor cannot be reached."""
        async with asyncio.timeout(_APPEND_TIMEOUT_SECONDS):
            return int(await self._step("adopt"))

    async def _step(self, name: str, *arguments: object, **named: object) -> Any:
        try:
            return await getattr(self._resolved(), name).remote(*arguments, **named)
        except RayTaskError as error:
            if isinstance(error.cause, HeliographError):
                raise error.cause from error
            raise
        except (RayError, ValueError) as error:
            self._handle = None
            raise Unavailable("The ingestion lane", _RETRY_AFTER_SECONDS) from error

    def _resolved(self) -> "ActorHandle[Any]":
        if self._handle is None:
            self._handle = ray.get_actor(_name(self._number), NAMESPACE)
        return self._handle


class RayBoard:
    """The board of metrics; whoever needs it first starts it, and one that has died starts again empty."""

    def __init__(self) -> None:
        self._handle: ActorHandle[Any] | None = None

    async def report(self, source: str, reported: Sequence[Sample], keep_seconds: float) -> None:
        """See MetricsBoard.report. Raises Unavailable."""
        await self._answer("report", source, reported, keep_seconds)

    async def samples(self) -> list[Sample]:
        """See MetricsBoard.samples. Raises Unavailable."""
        return cast("list[Sample]", await self._answer("samples"))

    async def history(self, after: datetime, before: datetime) -> pa.Table:
        """See MetricsBoard.history. Raises Unavailable."""
        return cast("pa.Table", await self._answer("history", after, before))

    async def _answer(self, method: str, *arguments: object) -> object:
        try:
            if self._handle is None:
                self._handle = _board()
            async with asyncio.timeout(_BOARD_TIMEOUT_SECONDS):
                return await getattr(self._handle, method).remote(*arguments)
        except (RayError, ValueError, TimeoutError) as error:
            self._handle = None
            raise Unavailable("The board of metrics", _RETRY_AFTER_SECONDS) from error


async def start_lanes(settings: Settings, numbers: Sequence[LaneNumber] = ()) -> None:
    """Start these lanes, by default all, wanted or not, and return when each has taken over its log."""
    handles = [_get_or_create(number, settings) for number in numbers or await _lanes(settings)]
    async with asyncio.timeout(_START_TIMEOUT_SECONDS):
        await asyncio.gather(*(handle.status.remote() for handle in handles))


async def restart_lanes(settings: Settings) -> None:
    """Replace every lane by one of this code and these settings, one after the other; senders repeat meanwhile."""
    for number in await _lanes(settings):
        await _end(_name(number))
        async with asyncio.timeout(_START_TIMEOUT_SECONDS):
            await _get_or_create(number, settings).status.remote()


@asynccontextmanager
async def resharding(settings: Settings) -> AsyncIterator[Resharding]:
    """Changes of the lane map of this cluster."""
    database = Database(settings.postgres_dsn)
    try:
        yield Resharding(LaneMapChanges(database), RayLane, lambda numbers: start_lanes(settings, numbers))
    finally:
        await database.close()


async def resume_resharding(settings: Settings) -> None:
    """Carry on a change of the lane map that was cut short and that no process carries on."""
    try:
        async with resharding(settings) as change:
            await change.resume()
    except ReshardingRunning:
        return
    except (HeliographError, TimeoutError) as error:
        telemetry.logger("resharding").warning("resharding_not_resumed", reason=str(error))


async def stop_lanes(settings: Settings) -> None:
    """Flush and stop every lane that runs."""
    await asyncio.gather(*(_end(_name(number)) for number in await _lanes(settings)))


def start_maintenance(settings: Settings, chores: Sequence[tuple[str, float, Task]]) -> None:
    """Have each of the named tasks done every so many seconds; does not wait for the actor."""
    actor = ray.remote(MaintenanceActor).options(
        name=_MAINTENANCE, namespace=NAMESPACE, lifetime="detached", get_if_exists=True, num_cpus=0, max_restarts=-1
    )
    actor.remote(chores, settings)


async def stop_maintenance() -> None:
    """End what is being done; it is taken up again after the next start."""
    await _end(_MAINTENANCE)


def metrics_board() -> RayBoard:
    """Where this process reports its metrics, and reads those of all."""
    return RayBoard()


def stop_metrics() -> None:
    """Forget what was reported."""
    with contextlib.suppress(ValueError):
        ray.kill(ray.get_actor(_METRICS, NAMESPACE), no_restart=True)


async def lane_statuses(settings: Settings) -> list[dict[str, Any]]:
    """The status of every lane that answers."""
    statuses = await asyncio.gather(*(_status(number) for number in await _lanes(settings)), return_exceptions=True)
    return [status for status in statuses if isinstance(status, dict)]


async def lane_client(settings: Settings) -> LaneClient:
    """A client for this process, under the lane map of now."""
    # The pool lives as long as the process: a map is read again whenever a project has moved.
    registry = LaneRegistry(Database(settings.postgres_dsn))
    lane = functools.cache(RayLane)
    return LaneClient(await registry.lane_map(), lane, settings.ingest, read_map=registry.lane_map)


def deletion_requests(settings: Settings, database: Database) -> DeletionRequests:
    """What accepts requests to delete in this process."""
    return DeletionRequests(Deletions(database), lambda: lane_client(settings), LaneRegistry(database).every_map)


async def _lane_map(settings: Settings) -> LaneMap:
    database = Database(settings.postgres_dsn)
    try:
        return await LaneRegistry(database).lane_map()
    finally:
        await database.close()


async def _lanes(settings: Settings) -> list[LaneNumber]:
    """Every lane of the map in force: a setting that has changed since creates none and forgets none."""
    try:
        count = (await _lane_map(settings)).count
    except Unavailable:
        count = settings.lanes.count
    return [LaneNumber(number) for number in range(count)]


def _name(number: LaneNumber) -> str:
    return f"lane-{number}"


def _board() -> "ActorHandle[Any]":
    actor = ray.remote(MetricsBoard).options(
        name=_METRICS, namespace=NAMESPACE, lifetime="detached", get_if_exists=True, num_cpus=0, max_restarts=-1
    )
    return cast("ActorHandle[Any]", actor.remote())


def _get_or_create(number: LaneNumber, settings: Settings) -> "ActorHandle[Any]":
    actor = ray.remote(LaneActor).options(
        name=_name(number),
        namespace=NAMESPACE,
        lifetime="detached",
        get_if_exists=True,
        # It must not wait for a core behind a pipeline that fills the cluster, and what asks for nothing is placed at
        # random (https://github.com/ray-project/ray/issues/25344).
        num_cpus=0,
        memory=_RESERVED_BYTES,
        scheduling_strategy=_placement(number),
        max_restarts=-1,
        # The log, not Ray, retries: a call that Ray repeated could be an append that was answered already.
        max_task_retries=0,
        max_concurrency=_MAX_PENDING_CALLS,
        max_pending_calls=_MAX_PENDING_CALLS,
    )
    return cast("ActorHandle[Any]", actor.remote(int(number), settings))


def working_nodes() -> list[str]:
    """The ids of the nodes that take work, which a head without CPUs does not."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return sorted(node["NodeID"] for node in nodes if node["Alive"] and node["Resources"].get("CPU"))


def _placement(number: LaneNumber) -> NodeAffinitySchedulingStrategy | str:
    """The nodes that do work, in turn. A lane whose node has died starts again on another: the affinity is soft."""
    nodes = working_nodes()
    return NodeAffinitySchedulingStrategy(nodes[number % len(nodes)], soft=True) if nodes else "DEFAULT"


async def _status(number: LaneNumber) -> dict[str, Any]:
    async with asyncio.timeout(5):
        return cast("dict[str, Any]", await ray.get_actor(_name(number), NAMESPACE).status.remote())


async def _end(name: str) -> None:
    try:
        handle = ray.get_actor(name, NAMESPACE)
    except ValueError:
        return
    with contextlib.suppress(TimeoutError, RayError):
        async with asyncio.timeout(_STOP_TIMEOUT_SECONDS):
            await handle.stop.remote()
    ray.kill(handle, no_restart=True)
    # Until the name is free, it would lead a new owner's callers to the old one.
    while _is_named(name):  # noqa: ASYNC110  # Ray tells nobody
        await asyncio.sleep(_POLL_SECONDS)


def _is_named(name: str) -> bool:
    try:
        ray.get_actor(name, NAMESPACE)
    except ValueError:
        return False
    return True
