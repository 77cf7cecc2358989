"""What every door appends goes through here: traces outside a project's sample are dropped, the rest is counted."""

from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import ProjectId
from ingestion.sampling import sampled
from serve_apps.ingest.dependencies import Appends
from serve_apps.limits import Limits


class LimitedAppends:
    """Appends the sample of a batch.

    Args:
        appends: where it goes.
        limits: tells the rates, and counts what was acknowledged.
    """

    def __init__(self, appends: Appends, limits: Limits) -> None:
        self._appends = appends
        self._limits = limits

    async def append(self, batch: MappedBatch) -> None:
        """Return when every record of the sample is durable; raises what the appends raise."""
        if batch.records.num_rows == 0:
            return
        project_id = ProjectId(batch.records["project_id"][0].as_py())
        rate = self._limits.sample_rate(project_id)
        kept = batch if rate >= 1 else sampled(batch, rate)
        self._limits.sampled_out += batch.records.num_rows - kept.records.num_rows
        await self._appends.append(kept)
        self._limits.note(project_id, kept.records.num_rows)
