"""The running stack that a benchmark measures: its settings, a project of its own, and what is stored for it."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import psutil
from clickhouse_connect.driver.client import Client

from heliograph.settings import Settings
from storage.clickhouse.connection import connect_blocking
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.projects import Projects
from tests.benchmarks.load import Target

Result = TypeVar("Result")


@dataclass(frozen=True)
class Stack:
    """A stack that `heliograph up` has started, with a fresh project in it."""

    settings: Settings
    target: Target
    project_id: str
    clickhouse: Client

    def stored(self) -> tuple[int, int, str]:
        """Observations, traces and cost that a reader sees now."""
        ((observations, traces, cost),) = self.clickhouse.query(
            "SELECT (SELECT count() FROM observations FINAL WHERE project_id = {project:String}),"
            " (SELECT count() FROM traces FINAL WHERE project_id = {project:String}),"
            " (SELECT toString(sum(total_cost)) FROM traces FINAL WHERE project_id = {project:String})",
            parameters={"project": self.project_id},
        ).result_rows
        return int(observations), int(traces), str(cost)

    def is_at_rest(self) -> bool:
        """Whether ClickHouse merges nothing at the moment."""
        ((count,),) = self.clickhouse.query("SELECT count() FROM system.merges").result_rows
        return not count

    def arrived(self) -> int:
        """Rows of the project, counted cheaply: superseded ones included."""
        ((count,),) = self.clickhouse.query(
            "SELECT count() FROM observations WHERE project_id = {project:String}",
            parameters={"project": self.project_id},
        ).result_rows
        return int(count)


async def connect(name: str, settings: Settings | None = None) -> Stack:
    """Reach the stack of the environment's data directory and create a project for this run."""
    settings = settings or Settings()
    database = Database(settings.postgres_dsn)
    project = await Projects(database).create(f"{name}-{time.time_ns()}")
    key = await ApiKeys(database, settings.pepper).create(project.id, note="benchmark")
    await database.close()
    target = Target(settings.url, key.public_key, key.secret_key)
    clickhouse = connect_blocking(settings.clickhouse, settings.clickhouse_url)
    return Stack(settings, target, project.id, clickhouse)


async def until(condition: Callable[[], bool], max_seconds: float, pause: float = 0.1) -> float:
    """Seconds until a condition of the stores holds."""
    started = time.monotonic()
    while not await asyncio.to_thread(condition):
        if time.monotonic() - started > max_seconds:
            raise TimeoutError
        await asyncio.sleep(pause)
    return time.monotonic() - started


class MemoryWatch:
    """The greatest PSS of each kind of process of the stack, sampled while a benchmark runs."""

    KINDS = ("ray::LaneActor", "ray::ServeReplica:ingest", "ray::ServeReplica:api", "ray::ServeReplica:dashboard")

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}

    async def watched(self, work: Coroutine[Any, Any, Result], pause: float = 2.0) -> Result:
        """Sample until the work is done; return its result."""
        task = asyncio.create_task(work)
        while not task.done():
            await asyncio.to_thread(self._sample)
            await asyncio.wait([task], timeout=pause)
        return task.result()

    def _sample(self) -> None:
        for process in psutil.process_iter(["cmdline"]):
            title = " ".join(process.info["cmdline"] or [])[:60]
            kind = next((kind for kind in self.KINDS if title.startswith(kind)), None)
            if kind is None:
                continue
            try:
                pss = process.memory_full_info().pss
            except psutil.Error:
                continue
            self.peaks[kind] = max(self.peaks.get(kind, 0), pss)

    def megabytes(self) -> dict[str, int]:
        """The peaks in MB."""
        return {kind: peak >> 20 for kind, peak in self.peaks.items()}
