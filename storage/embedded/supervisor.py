"""The supervisor of the embedded engines: starts them, restarts what dies, stops them in order."""

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from heliograph import telemetry
from heliograph.domain.start_errors import EngineFailed
from storage.embedded.engine import Engine

_log = telemetry.logger("supervisor")
_READY_SECONDS = 120
_POLL_SECONDS = 0.1
_KILLED_SECONDS = 5.0
_CHECK_SECONDS = 10.0
# SeaweedFS, for one, refuses every write after a disk was full once, until it is restarted.
_STUCK_SECONDS = 60.0
_SHORTEST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 15.0
_MAX_LOG_BYTES = 20 << 20


@dataclass
class EngineStatus:
    """How one engine is."""

    name: str
    is_ready: bool = False
    pid: int = 0
    restarts: int = 0
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    detail: str = ""


class Supervisor:
    """Owns the processes of some engines for as long as it runs.

    Args:
        engines: in the order of their start; they are stopped in reverse.
        data: the data directory; process records go to `run/`, logs to `logs/`.
        stuck_seconds: an engine that lives but has not served for so long is restarted.
    """

    def __init__(self, engines: Sequence[Engine], data: Path, *, stuck_seconds: float = _STUCK_SECONDS) -> None:
        self._stuck_seconds = stuck_seconds
        self._engines = list(engines)
        self._run, self._logs = data / "run", data / "logs"
        self._statuses = {engine.name: EngineStatus(engine.name) for engine in engines}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ready: dict[str, asyncio.Event] = {engine.name: asyncio.Event() for engine in engines}

    @property
    def statuses(self) -> list[EngineStatus]:
        """One status for each engine, in the order of their start."""
        return list(self._statuses.values())

    async def start(self) -> None:
        """Start all engines at once and return when each is ready and prepared.

        Raises:
            EngineFailed: one of them did not start; the others are stopped.
        """
        for folder in (self._run, self._logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await asyncio.to_thread(end_left_behind, self._run, [engine.name for engine in self._engines])
        for engine in self._engines:
            self._tasks[engine.name] = asyncio.create_task(self._keep(engine))
        started = asyncio.create_task(self._all_ready())
        await asyncio.wait([started, *self._tasks.values()], return_when=asyncio.FIRST_COMPLETED)
        if not started.done():
            started.cancel()
            errors = [error for task in self._tasks.values() if task.done() and (error := task.exception())]
            await self.stop()
            raise errors[0]

    async def stop(self) -> None:
        """Stop the engines in reverse order; one that does not end in time is killed."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for engine in reversed(self._engines):
            process = self._processes.pop(engine.name, None)
            if process is not None:
                await _end(process, engine)
            (self._run / f"{engine.name}.pid").unlink(missing_ok=True)
            self._enter(engine.name, is_ready=False, detail="stopped")

    async def _all_ready(self) -> None:
        for ready in self._ready.values():
            await ready.wait()

    async def _keep(self, engine: Engine) -> None:
        pause = _SHORTEST_PAUSE_SECONDS
        while True:
            try:
                await self._start_one(engine)
            except EngineFailed as error:
                if not self._ready[engine.name].is_set():
                    raise
                self._enter(engine.name, is_ready=False, detail=str(error))
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                pause = _SHORTEST_PAUSE_SECONDS
                code = await self._until_it_ends(engine, self._processes[engine.name])
                _log.error("engine_ended", engine=engine.name, code=code)
                self._enter(engine.name, is_ready=False, detail=f"ended with code {code}, restarting")
            self._statuses[engine.name].restarts += 1
            await asyncio.sleep(pause)

    async def _until_it_ends(self, engine: Engine, process: asyncio.subprocess.Process) -> int:
        """Wait for the end of an engine, and bring it about when it no longer serves."""
        loop = asyncio.get_running_loop()
        ended = asyncio.create_task(process.wait())
        served_at = loop.time()
        try:
            while not (await asyncio.wait([ended], timeout=min(_CHECK_SECONDS, self._stuck_seconds / 2)))[0]:
                if await asyncio.to_thread(engine.is_ready):
                    served_at = loop.time()
                elif loop.time() - served_at > self._stuck_seconds:
                    _log.error("engine_stuck", engine=engine.name)
                    await _end(process, engine)
            return ended.result()
        finally:
            ended.cancel()

    async def _start_one(self, engine: Engine) -> None:
        command = await asyncio.to_thread(engine.command)
        log = self._logs / f"{engine.name}.log"
        _rotate(log)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self._processes[engine.name] = process
        _record(self._run, engine.name, process.pid)
        self._statuses[engine.name].pid = process.pid
        self._enter(engine.name, is_ready=False, detail="starting")
        await self._until_ready(engine, process, log)
        await asyncio.to_thread(engine.prepare)
        self._enter(engine.name, is_ready=True)
        self._ready[engine.name].set()
        _log.info("engine_ready", engine=engine.name, pid=process.pid)

    async def _until_ready(self, engine: Engine, process: asyncio.subprocess.Process, log: Path) -> None:
        deadline = asyncio.get_running_loop().time() + _READY_SECONDS
        while not await asyncio.to_thread(engine.is_ready):
            if process.returncode is not None:
                raise EngineFailed(engine.name, f"{_last_line(log)} (see {log})")
            if asyncio.get_running_loop().time() > deadline:
                await _end(process, engine)
                raise EngineFailed(engine.name, f"it was not ready after {_READY_SECONDS} s (see {log})")
            await asyncio.sleep(_POLL_SECONDS)

    def _enter(self, name: str, *, is_ready: bool, detail: str = "") -> None:
        status = self._statuses[name]
        status.is_ready, status.detail, status.since = is_ready, detail, datetime.now(UTC)


def end_left_behind(run: Path, names: Iterable[str]) -> None:
    """Kill what a supervisor that was killed has left, known by process id and start time, never by name."""
    for name in names:
        record = run / f"{name}.pid"
        try:
            pid, started_at = json.loads(record.read_text("utf-8"))
            process = psutil.Process(pid)
            if process.create_time() != started_at:
                continue
            # The parent first, which starts others: its children come and go meanwhile.
            family = [process, *process.children(recursive=True)]
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            _wait_for_the_end(family)
            _log.warning("left_behind_ended", engine=name, pid=pid)
        except (OSError, ValueError, psutil.NoSuchProcess):
            continue
        finally:
            record.unlink(missing_ok=True)


def _wait_for_the_end(processes: Iterable[psutil.Process]) -> None:
    """Return when none of them runs; those that nobody has collected yet hold no port and no file."""
    deadline = time.monotonic() + _KILLED_SECONDS
    while any(_runs(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.02)


def _runs(process: psutil.Process) -> bool:
    try:
        # The last threads of a process that counts as a zombie already may still hold its ports.
        return process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1
    except psutil.NoSuchProcess:
        return False


async def _end(process: asyncio.subprocess.Process, engine: Engine) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(engine.stop_signal)
    try:
        await asyncio.wait_for(process.wait(), engine.stop_seconds)
    except TimeoutError:
        process.kill()
        await process.wait()


def _record(run: Path, name: str, pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        (run / f"{name}.pid").write_text(json.dumps([pid, psutil.Process(pid).create_time()]), "utf-8")


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace")[-4000:].strip().splitlines()
    return lines[-1].strip() if lines else "it wrote nothing"
