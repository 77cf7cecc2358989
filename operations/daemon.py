"""The long-lived process behind `heliograph up`: starts everything, restarts what dies, stops it in order."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from heliograph import telemetry
from heliograph.domain.errors import HeliographError
from heliograph.settings import Settings
from operations import engines, processes, status
from operations.fingerprint import fingerprint
from operations.ray_cluster import CLUSTER_READY, STORES_READY, ray_environment
from operations.ray_head import RayHead
from operations.status import PartStatus, StackStatus, State
from storage.embedded.supervisor import Supervisor

_WITHDRAW_SECONDS = 60
_STATUS_SECONDS = 1
_SHORTEST_PAUSE_SECONDS = 1
_LONGEST_PAUSE_SECONDS = 30


class Daemon:
    """Everything that runs, and its state on disk."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._run = settings.data / "run"
        self._logs = settings.data / "logs"
        self._status = StackStatus(pid=os.getpid(), url=settings.url, fingerprint=fingerprint(settings))
        self._engines = Supervisor(engines.embedded(settings), settings.data)
        self._head = RayHead(settings, self._logs / "ray.log")
        self._is_prepared = asyncio.Event()
        self._must_stop = asyncio.Event()
        self._log = telemetry.logger("daemon")

    async def run(self) -> None:
        """Operate the stack until it is told to stop, or cannot start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._must_stop.set)
        work = [asyncio.create_task(part) for part in (self._keep_stores(), self._keep_cluster(), self._keep_status())]
        stop = asyncio.create_task(self._must_stop.wait())
        await asyncio.wait([*work, stop], return_when=asyncio.FIRST_COMPLETED)
        errors = [error for task in work if task.done() and (error := task.exception())]
        for task in [*work, stop]:
            task.cancel()
        await asyncio.gather(*work, stop, return_exceptions=True)
        await self._stop(errors)

    async def _keep_stores(self) -> None:
        """Start the engines, which their supervisor restarts from then on, and prepare what is in them."""
        await self._engines.start()
        async with self._step("preparation"):
            log = self._logs / "preparation.log"
            process = await processes.spawn(processes.python("operations.preparation"), log)
            await processes.finished("preparation", process, log)
        self._is_prepared.set()
        await asyncio.Event().wait()

    async def _keep_cluster(self) -> None:
        """Run the cluster, again and again: a first failure is told, a later one is mended."""
        pause = _SHORTEST_PAUSE_SECONDS
        while True:
            try:
                await self._run_cluster()
            except HeliographError as error:
                if self._status.state is not State.READY:
                    raise
                self._log.error("cluster_failed", error=str(error))
            pause = _SHORTEST_PAUSE_SECONDS if self._part("doors").state is State.READY else pause * 2
            self._enter("doors", State.WAITING)
            self._part("ray").restarts += 1
            await asyncio.sleep(min(pause, _LONGEST_PAUSE_SECONDS))

    async def _run_cluster(self) -> None:
        """Start Ray, put the lanes and doors on it, and return when it has died."""
        is_up = asyncio.Event()
        # Its imports take as long as Ray's start, so they run beside it.
        deployed = asyncio.create_task(self._deploy(is_up))
        death = asyncio.create_task(self._live(is_up))
        try:
            await asyncio.wait({death, deployed}, return_when=asyncio.FIRST_COMPLETED)
            if not deployed.done():
                deployed.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await deployed
            await death
            self._enter("ray", State.FAILED)
            self._log.error("ray_ended")
        finally:
            deployed.cancel()
            death.cancel()

    async def _live(self, is_up: asyncio.Event) -> None:
        """Start Ray, tell, and return when it has died; somebody else's is not watched."""
        if self._settings.ray.address:
            is_up.set()
            await asyncio.Event().wait()
        async with self._step("ray"):
            await self._head.start()
        self._part("ray").pid = self._head.pid
        is_up.set()
        await self._head.ended()

    async def _deploy(self, is_up: asyncio.Event) -> None:
        log = self._logs / "deployment.log"
        command = processes.with_environment(
            processes.python("operations.deployment", "up"), ray_environment(self._settings)
        )
        process = await processes.spawn(command, log, takes_input=True)
        finished = asyncio.create_task(processes.finished("deployment", process, log))
        try:
            await is_up.wait()
            _tell(process, CLUSTER_READY)
            # Serve starts meanwhile; only what touches the stores waits for them.
            await self._is_prepared.wait()
            async with self._step("doors"):
                _tell(process, STORES_READY)
                await finished
        finally:
            finished.cancel()
            await asyncio.gather(finished, return_exceptions=True)
        self._status.state = State.READY
        self._write()
        self._log.info("stack_ready", url=self._settings.url)

    async def _stop(self, errors: list[BaseException]) -> None:
        was_ready = self._status.state is State.READY
        self._status.state = State.STOPPING
        self._write()
        if was_ready:
            await self._withdraw()
        self._head.stop()
        self._enter("ray", State.STOPPED)
        await self._engines.stop()
        self._status.parts = [*engines.parts(self._engines), *self._own_parts()]
        self._status.state = State.FAILED if errors else State.STOPPED
        self._status.error = "; ".join(str(error) or type(error).__name__ for error in errors)
        self._write()
        for error in errors:
            self._log.error(
                "stack_failed", error=str(error), exc_info=None if isinstance(error, HeliographError) else error
            )

    async def _withdraw(self) -> None:
        command = processes.with_environment(
            processes.python("operations.deployment", "down"), ray_environment(self._settings)
        )
        self._enter("doors", State.STOPPING)
        log = self._logs / "deployment.log"
        process = await processes.spawn(command, log)
        try:
            async with asyncio.timeout(_WITHDRAW_SECONDS):
                await processes.finished("withdrawal", process, log)
        except (TimeoutError, HeliographError) as error:
            # Acknowledged events are in the log: the next start merges what these lanes did not.
            self._log.warning("withdrawal_failed", error=str(error) or "it took too long")
        self._enter("doors", State.STOPPED)

    async def _keep_status(self) -> None:
        while True:
            self._write()
            await asyncio.sleep(_STATUS_SECONDS)

    @asynccontextmanager
    async def _step(self, name: str) -> AsyncIterator[None]:
        self._enter(name, State.STARTING)
        try:
            yield
        except HeliographError as error:
            self._enter(name, State.FAILED, str(error))
            raise
        self._enter(name, State.READY)

    def _enter(self, name: str, state: State, detail: str = "") -> None:
        part = self._part(name)
        part.state, part.detail, part.since = state, detail, datetime.now(UTC)
        self._write()

    def _part(self, name: str) -> PartStatus:
        return self._status.part(name)

    def _own_parts(self) -> list[PartStatus]:
        return [self._part(name) for name in ("preparation", "ray", "doors")]

    def _write(self) -> None:
        self._status.parts = [*engines.parts(self._engines), *self._own_parts()]
        self._status.write(self._run)


def _tell(process: asyncio.subprocess.Process, fact: str) -> None:
    if process.stdin is not None:
        process.stdin.write(f"{fact}\n".encode())


def main() -> None:
    """Own the data directory and operate its stack."""
    settings = Settings()
    telemetry.configure_logs(settings.log_level, "daemon", settings.secret_values)
    for folder in ("run", "logs"):
        (settings.data / folder).mkdir(parents=True, exist_ok=True)
    try:
        ownership = status.lock(settings.data / "run")
    except status.AlreadyLocked:
        return
    with ownership:
        asyncio.run(Daemon(settings).run())


if __name__ == "__main__":
    main()
