"""Online evaluation: the rules of all projects followed, and their jobs carried out, as long as the process lives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from actors.directory import lane_client
from actors.intake import Appends
from actors.judging import RayLimiter
from heliograph import telemetry
from heliograph.domain.errors import HeliographError
from heliograph.domain.identifiers import ProjectId
from heliograph.outbound import Outbound
from heliograph.settings import Settings
from pipelines.evaluation_part import project_mapping
from pipelines.rule_jobs import RuleJobs
from pipelines.rule_judges import RuleJudges
from pipelines.rule_matching import RuleMatching
from storage.clickhouse.connection import ClickHouse
from storage.postgres.connection import Database
from storage.postgres.llm_connections import LlmConnections
from storage.seal import Seal

_log = telemetry.logger("rules")
_LOOK_SECONDS = 1.0
_RETRY_SECONDS = 5.0


async def follow_rules(settings: Settings) -> None:
    """Follow and carry out, for ever. Several processes may do so: none does what another has done."""
    database = Database(settings.postgres_dsn)
    clickhouse = ClickHouse(settings.clickhouse, settings.clickhouse_url)
    lanes = await _lanes(settings)
    judges = ProjectJudges(settings, database, lanes)
    await asyncio.gather(
        _repeat(RuleMatching(database, clickhouse).advance), _repeat(RuleJobs(database, clickhouse, judges.of).advance)
    )


class ProjectJudges:
    """What judges and scores of a project need, made anew for each batch of jobs."""

    def __init__(self, settings: Settings, database: Database, lanes: Appends) -> None:
        self._settings, self._database, self._lanes = settings, database, lanes
        self._seal = Seal(settings.encryption_key, settings.former_encryption_keys)
        self._outbound = Outbound(settings.outbound.allowed_networks)

    @asynccontextmanager
    async def of(self, project_id: ProjectId) -> AsyncIterator[RuleJudges]:
        """Those of a project."""
        mapping = await project_mapping(project_id, self._settings, self._database)
        connections = LlmConnections(self._database, project_id, self._seal)
        async with RuleJudges(connections, self._outbound, RayLimiter, lanes=self._lanes, mapping=mapping) as judges:
            yield judges


async def _repeat(advance: Callable[[], Awaitable[int]]) -> None:
    """Again at once while there is something to do, else after a while."""
    while True:
        try:
            done = await advance()
        except HeliographError as error:
            _log.warning("rules_wait", reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        except Exception:  # noqa: BLE001 - a defect met by one rule must not stop all
            _log.exception("rules_not_followed")
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            if not done:
                await asyncio.sleep(_LOOK_SECONDS)


async def _lanes(settings: Settings) -> Appends:
    while True:
        try:
            return await lane_client(settings)
        except HeliographError as error:
            _log.warning("rules_wait", reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
