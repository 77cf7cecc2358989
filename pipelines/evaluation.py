"""Evaluation runs on the cluster: every run that is to run has a Ray Data pipeline over its parts.

The state is in PostgreSQL, so that whoever drives may die: the next one goes on with the parts that are left. Several
runs share the workers evenly, by rounds of a few parts.
"""

import asyncio
from functools import partial

import pyarrow as pa
import ray.data

from heliograph import telemetry
from heliograph.domain.errors import HeliographError
from heliograph.domain.evaluation_runs import EvaluationRun, Place
from heliograph.settings import Settings
from pipelines.cluster import processors
from pipelines.evaluation_part import carry_out, worker_stores
from storage.postgres.connection import Database, opened
from storage.postgres.evaluation_parts import EvaluationParts

_log = telemetry.logger("evaluation")
_LOOK_SECONDS = 1.0
# A round of so many parts for each worker: a run that begins waits for no longer than that.
_PARTS_PER_WORKER = 4


async def drive(settings: Settings) -> None:
    """Carry out every run there is to carry out, for ever. One process of a cluster does so."""
    async with opened(settings.postgres_dsn) as database:
        rounds: dict[str, asyncio.Task[None]] = {}
        while True:
            try:
                await _look(settings, database, rounds)
            except HeliographError as error:
                _log.warning("evaluation_runs_not_read", reason=str(error))
            except Exception:  # noqa: BLE001 - a defect met by one run must not stop all
                _log.exception("evaluation_runs_not_driven")
            await asyncio.sleep(_LOOK_SECONDS)


async def _look(settings: Settings, database: Database, rounds: dict[str, asyncio.Task[None]]) -> None:
    """Begin a round of each run that has none."""
    for run_id in [run_id for run_id, task in rounds.items() if task.done()]:
        if (error := rounds.pop(run_id).exception()) is not None:
            _log.error("evaluation_round_failed", run=run_id, exc_info=error)
    runs = await EvaluationParts(database).running()
    share = max(1, processors() // max(1, len(runs)))
    for run in runs:
        if run.id in rounds:
            continue
        parts = await EvaluationParts(database).claimable(run.id, Place.SERVER)
        if parts:
            turn = asyncio.to_thread(run_round, settings, run, parts[: share * _PARTS_PER_WORKER], workers=share)
            rounds[run.id] = asyncio.create_task(turn)


def run_round(settings: Settings, run: EvaluationRun, parts: list[int], *, workers: int) -> None:
    """The pipeline: each part is claimed and carried out by one task, so many tasks at a time."""
    items = ray.data.from_items([{"part": part} for part in parts], override_num_blocks=len(parts))
    context = items.context
    context.enable_progress_bars = False
    context.execution_options.resource_limits = context.execution_options.resource_limits.copy(cpu=workers)
    done = items.map_batches(partial(_carry_out, settings=settings, run=run), batch_size=1, batch_format="pyarrow")
    for _ in done.iter_batches(batch_format="pyarrow"):
        pass


def _carry_out(items: pa.Table, *, settings: Settings, run: EvaluationRun) -> pa.Table:
    numbers = items["part"].to_pylist()
    return pa.table({"part": numbers, "is_done": [asyncio.run(_part(run, number, settings)) for number in numbers]})


async def _part(run: EvaluationRun, number: int, settings: Settings) -> bool:
    async with worker_stores(settings) as stores:
        return await carry_out(run, number, stores)
