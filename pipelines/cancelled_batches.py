"""Batches of runs that were cancelled: ended at their providers, and what they have cost settled."""

from heliograph import telemetry
from heliograph.domain.errors import HeliographError, Unavailable
from heliograph.settings import Settings
from pipelines.evaluation_part import WorkerStores, project_mapping, worker_stores
from pipelines.judge_batches import PartBatches
from storage.postgres.judge_batches import JudgeBatches, batches_of_cancelled

EVERY_SECONDS = 60.0
_log = telemetry.logger("evaluation")


async def end_cancelled_batches(settings: Settings) -> int | None:
    """End what is on its way for cancelled runs; of how many parts nothing is any more. Raises Unavailable."""
    async with worker_stores(settings) as stores:
        return await end_all(stores) or None


async def end_all(stores: WorkerStores) -> int:
    """The same with stores."""
    ended = 0
    for run, part in await batches_of_cancelled(stores.database):
        mapping = await project_mapping(run.project_id, stores.settings, stores.database)
        own = JudgeBatches(stores.database, run.id)
        batches = PartBatches(own, stores.judges(run, mapping), run_id=run.id, part=part)
        try:
            ended += await batches.cancel()
        except Unavailable:
            raise
        except HeliographError as error:
            # The provider may be away, or its connection be gone: others are not held up.
            _log.warning("batch_not_cancelled", run=run.id, part=part, reason=str(error))
    return ended
