"""Puts the lanes and the doors on the Ray cluster, and takes them off again; a process of its own for each.

The daemon holds no connection to Ray: a driver dies with its cluster, and the daemon must outlive it.
"""

import asyncio
import importlib
import re
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import ray
from ray import serve
from ray.serve.config import HTTPOptions
from ray.serve.schema import LoggingConfig
from starlette.types import ASGIApp

from heliograph import telemetry
from heliograph.domain.errors import HeliographError
from heliograph.settings import LOOPBACK, Settings
from heliograph.source_tree import check_packages
from operations.errors import StepFailed
from operations.ray_cluster import CLUSTER_READY, STORES_READY


@dataclass(frozen=True)
class Door:
    """One Serve application. Its module `operations.doors.<name>` has `async build(settings) -> ASGIApp`."""

    name: str
    route_prefix: str
    replicas: int = 1
    max_ongoing_requests: int = 512


def doors(settings: Settings, nodes: int) -> list[Door]:
    """Every application, each of which scales on its own; where there are several nodes, it outlives one of them.

    Args:
        settings: of the deployment.
        nodes: how many nodes can hold a replica.
    """
    return [
        Door("ingest", "/ingest", max(settings.ingest.replicas, nodes)),
        Door("api", "/api/public", nodes),
        # A page's state lives in one process until requests of a session are kept together.
        Door("dashboard", "/"),
    ]


@serve.ingress()
class Doorkeeper:
    """A replica: the door's application, built where it runs."""

    async def __init__(self, name: str, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        check_packages()
        keep_on_own_address(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
        telemetry.configure_logs(settings.log_level, name, settings.secret_values)
        # Not imported above: a deployment must not pay for it before Serve starts.
        build = importlib.import_module("operations.doors.replica").build
        replica = serve.get_replica_context().replica_id.unique_id
        self._application: ASGIApp = await build(name, settings, replica)

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Ray asks for the application after the constructor has run."""
        return self._application


def keep_on_own_address(address: str) -> None:
    """Bind this replica's servers to the address of its node, which is loopback on a cluster of one machine.

    Ray fixes the internal gRPC server to every interface, and has one host for the HTTP servers of all nodes.
    """
    replica: Any = importlib.import_module("ray.serve._private.replica")
    bind: Callable[[Any, str], int] = replica.add_port_to_grpc_server
    start: Callable[..., Any] = replica.start_asgi_http_server

    def bind_own(server: Any, everywhere: str) -> int:
        return bind(server, everywhere.replace("[::]:", f"{address}:"))

    def start_own(application: Any, options: HTTPOptions, **rest: Any) -> Any:
        return start(application, options.model_copy(update={"host": address}), **rest)

    replica.add_port_to_grpc_server = bind_own
    replica.start_asgi_http_server = start_own


def _target(door: Door, settings: Settings) -> serve.RunTarget:
    own = settings.model_copy(update={"door_replicas": door.replicas})
    deployment = serve.deployment(
        name=door.name,
        num_replicas=door.replicas,
        max_ongoing_requests=door.max_ongoing_requests,
        graceful_shutdown_timeout_s=5,
        graceful_shutdown_wait_loop_s=0.2,
        health_check_period_s=10,
        health_check_timeout_s=30,
        ray_actor_options={"num_cpus": 0.1},
        # Requests are counted in /metrics; a line for each would take a thirtieth of a small one's time.
        logging_config=LoggingConfig(log_level="WARNING", enable_access_log=False),
    )(Doorkeeper)
    return serve.RunTarget(target=deployment.bind(door.name, own), name=door.name, route_prefix=door.route_prefix)


def deploy(settings: Settings) -> None:
    """Start Serve and the lanes side by side, then open the doors; returns when all are ready."""
    _wait_until(CLUSTER_READY)
    _join(settings)
    with ThreadPoolExecutor(2) as beside:
        stores = beside.submit(_wait_until, STORES_READY)
        lanes = beside.submit(_start_lanes, settings, stores)
        start_serve(settings)
        stores.result()
        # A door opens without its lanes: until they are ready it answers 503.
        open_doors(settings)
        lanes.result()
    start_maintenance(settings)


def start_serve(settings: Settings) -> None:
    """Start Serve's controller and the proxies; which address theirs is, each node's own entry says."""
    serve.start(http_options=HTTPOptions(host=LOOPBACK, port=settings.port))


def open_doors(settings: Settings) -> None:
    """Put every application on the cluster, or replace the one that is there; returns when all answer.

    Raises:
        StepFailed: a replica does not start.
    """
    # Two seconds of imports, long done while Serve starts.
    from actors.directory import working_nodes  # noqa: PLC0415

    nodes = len(working_nodes())
    try:
        serve.run_many([_target(door, settings) for door in doors(settings, nodes)])
    except RuntimeError:
        raise StepFailed("A door", _reason()) from None


def _wait_until(fact: str) -> None:
    if sys.stdin.readline().strip() != fact:
        raise StepFailed("The start", f"the daemon did not say that the {fact}")


def _join(settings: Settings) -> None:
    ray.init(address=settings.ray_address, log_to_driver=False)


def _start_lanes(settings: Settings, stores: "Future[None]") -> None:
    # Two seconds of imports, spent here while Serve starts.
    from actors import directory  # noqa: PLC0415

    stores.result()
    asyncio.run(directory.start_lanes(settings))
    asyncio.run(directory.resume_resharding(settings))


def start_maintenance(settings: Settings) -> None:
    """Have the chores done and evaluation runs and rules carried out from now on."""
    # Last of all, and not waited for: nothing of a start depends on it.
    from actors import directory, judging  # noqa: PLC0415
    from pipelines.backfills import CHORES as BACKFILLS  # noqa: PLC0415
    from pipelines.backfills import EVERY_SECONDS as AT_ONCE  # noqa: PLC0415
    from pipelines.blob_exports import EVERY_SECONDS as EACH_MINUTE  # noqa: PLC0415
    from pipelines.blob_exports import export_to_buckets  # noqa: PLC0415
    from pipelines.cancelled_batches import EVERY_SECONDS as NOW_AND_THEN  # noqa: PLC0415
    from pipelines.cancelled_batches import end_cancelled_batches  # noqa: PLC0415
    from pipelines.compaction import compact_lanes  # noqa: PLC0415
    from pipelines.driving import drive  # noqa: PLC0415
    from pipelines.ended_projects import EVERY_SECONDS as SOON  # noqa: PLC0415
    from pipelines.ended_projects import remove_ended_projects  # noqa: PLC0415
    from pipelines.expired_evaluations import EVERY_SECONDS as AT_TIMES  # noqa: PLC0415
    from pipelines.expired_evaluations import remove_expired_evaluations  # noqa: PLC0415
    from pipelines.expired_exports import EVERY_SECONDS as SELDOM  # noqa: PLC0415
    from pipelines.expired_exports import remove_expired_exports  # noqa: PLC0415
    from pipelines.log_size import EVERY_SECONDS, LogSizes  # noqa: PLC0415
    from pipelines.orphaned_media import EVERY_SECONDS as OFTEN  # noqa: PLC0415
    from pipelines.orphaned_media import remove_orphaned_media  # noqa: PLC0415
    from pipelines.retention import enforce_retention  # noqa: PLC0415

    chores: list[tuple[str, float, directory.Task]] = [
        ("compaction", settings.maintenance.compact_every_seconds, compact_lanes),
        ("log sizes", EVERY_SECONDS, LogSizes()),
        ("orphaned media", OFTEN, remove_orphaned_media),
        ("ended projects", SOON, remove_ended_projects),
        *((name, AT_ONCE, backfilling) for name, backfilling in BACKFILLS.items()),
        ("expired exports", SELDOM, remove_expired_exports),
        ("batches of cancelled runs", NOW_AND_THEN, end_cancelled_batches),
        ("expired evaluations", AT_TIMES, remove_expired_evaluations),
        ("retention", settings.maintenance.retain_every_seconds, enforce_retention),
        ("blob exports", EACH_MINUTE, export_to_buckets),
    ]
    directory.start_maintenance(settings, chores)
    judging.start_evaluations(settings, drive)


def _reason() -> str:
    """Why a door does not open: the last line of what its replica raised."""
    for name, application in serve.status().applications.items():
        for deployment in application.deployments.values():
            if deployment.status == "DEPLOY_FAILED" or application.status == "DEPLOY_FAILED":
                lines = [line for line in deployment.message.splitlines() if line.strip()]
                errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Unavailable)\b", line)]
                return f"{name}: {(errors or lines or [application.message])[-1]}"
    return "no application says why"


def withdraw(settings: Settings) -> None:
    """Close the doors, end the maintenance, then let every lane write what it holds."""
    from actors import directory, judging  # noqa: PLC0415  # as above: a deployment must not pay for it before Serve starts

    _join(settings)
    serve.shutdown()  # type: ignore[no-untyped-call]
    asyncio.run(_stop_actors(directory, judging, settings))


async def _stop_actors(directory: ModuleType, judging: ModuleType, settings: Settings) -> None:
    judging.stop_evaluations()
    await directory.stop_maintenance()
    await directory.stop_lanes(settings)
    directory.stop_metrics()


def main() -> None:
    """`up` or `down`, on the cluster of the environment's settings."""
    settings = Settings()
    telemetry.configure_logs(settings.log_level, "deployment", settings.secret_values)
    try:
        {"up": deploy, "down": withdraw}[sys.argv[1]](settings)
    except HeliographError as error:
        sys.exit(str(error))
    # Left to the interpreter's exit, Ray would first sleep half a second.
    ray.shutdown()


if __name__ == "__main__":
    main()
