"""The ingestion application and what it is given."""

from starlette.types import ASGIApp

from actors import directory
from actors.intake import masking_callbacks
from heliograph.settings import Settings
from operations.doors.keys import keys
from operations.doors.limits import limits
from operations.doors.masking import maskings
from operations.doors.pool import pool_of
from operations.doors.prices import prices
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import HeardLogs, IngestDependencies
from serve_apps.ingest.media import KeptMedia
from serve_apps.replica_meter import ReplicaMeter
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.trace_ids import TraceIds
from storage.objects.media import MediaObjects
from storage.postgres.connection import Database
from storage.postgres.score_config_cache import ScoreConfigCache
from storage.postgres.score_configs import SCORE_CONFIGS_CHANNEL


async def build(settings: Settings, meter: ReplicaMeter) -> ASGIApp:
    """The application of one replica."""
    lanes = await directory.lane_client(settings)
    trace_ids = TraceIds(ClickHouse(settings.clickhouse, settings.clickhouse_url))
    database = Database(settings.postgres_dsn)
    meter.add(pool_of(database))
    configs = ScoreConfigCache(database)
    known = keys(settings, database, {SCORE_CONFIGS_CHANNEL: configs})
    books, rules = await prices(database), await maskings(database)
    heard_logs = HeardLogs()
    meter.add(known.measured)
    meter.add(heard_logs.collected)
    limited = await limits(settings, database)
    meter.add(limited.measured)
    return ingest_application(
        IngestDependencies(
            known.cache,
            lanes,
            trace_ids,
            settings.ingest,
            prices=books,
            maskings=rules,
            callbacks=masking_callbacks(settings),
            media=KeptMedia(database, MediaObjects.connect(settings)),
            score_configs=configs,
            heard_logs=heard_logs,
            grpc_address=settings.grpc_address,
            limits=limited,
            companions=(*known.companions, books.run, rules.run, limited.run),
        )
    )
