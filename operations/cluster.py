"""Puts Heliograph on a running Ray cluster of several machines, or a new release over it; a process of its own."""

import asyncio
import sys
import time

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.schema import ProxyStatus

from actors import directory
from heliograph import telemetry
from heliograph.domain.errors import HeliographError
from heliograph.settings import Settings
from operations import deployment, preparation
from operations.errors import EngineNotShared, SecretNotGiven, StepFailed

_FRONT_END_SECONDS = 60
_POLL_SECONDS = 0.5


def check(settings: Settings) -> None:
    """Make sure that every node would reach the same stores with the same secrets.

    Raises:
        EngineNotShared: a store would be the embedded one of whichever machine asks.
        SecretNotGiven: a secret would be generated, and lost with this machine's disk.
    """
    for name in ("clickhouse", "postgres", "s3"):
        if not getattr(settings, name).url:
            raise EngineNotShared(f"HELIOGRAPH_{name.upper()}__URL")
    for name in ("pepper", "session_secret", "encryption_key"):
        if not getattr(settings, name):
            raise SecretNotGiven(f"HELIOGRAPH_{name.upper()}")


def deploy(settings: Settings) -> None:
    """Migrate, replace the lanes, then the doors: acknowledged events stay in the log, and senders repeat the rest."""
    check(settings)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _tell("Stores: migrations, first project")
    asyncio.run(preparation.prepare(settings))
    _join(settings)
    _tell("Lanes")
    try:
        asyncio.run(directory.restart_lanes(settings))
    except (RayError, TimeoutError) as error:
        raise StepFailed("A lane", str(error).strip().splitlines()[-1] if str(error) else "it took too long") from None
    _tell("Doors")
    deployment.start_serve(settings)
    deployment.open_doors(settings)
    asyncio.run(directory.stop_maintenance())
    directory.stop_metrics()
    deployment.start_maintenance(settings)
    if without := _without_front_end():
        _tell(f"No front end yet on {', '.join(without)}: it comes with the first replica that is placed there")


def _without_front_end() -> list[str]:
    """Nodes whose HAProxy does not answer within the time that a start takes: Serve starts them after the replicas."""
    deadline = time.monotonic() + _FRONT_END_SECONDS
    while True:
        proxies = serve.status().proxies
        without = [node for node in directory.working_nodes() if proxies.get(node) != ProxyStatus.HEALTHY]
        if not without or time.monotonic() > deadline:
            return without
        time.sleep(_POLL_SECONDS)


def _join(settings: Settings) -> None:
    try:
        ray.init(address=settings.ray_address, log_to_driver=False)
    except (ConnectionError, RuntimeError) as error:
        raise StepFailed("Ray", f"no cluster at {settings.ray_address}: {error}") from None


def _tell(step: str) -> None:
    print(step, flush=True)


def main() -> None:
    """`deploy` or `withdraw`, on the cluster of the environment's settings."""
    settings = Settings()
    telemetry.configure_logs(settings.log_level, "deployment", settings.secret_values)
    try:
        {"deploy": deploy, "withdraw": deployment.withdraw}[sys.argv[1]](settings)
    except HeliographError as error:
        sys.exit(str(error))
    ray.shutdown()


if __name__ == "__main__":
    main()
