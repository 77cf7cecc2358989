"""The query API and what it is given."""

from concurrent.futures import ThreadPoolExecutor

from starlette.types import ASGIApp

from actors import directory
from heliograph.outbound import Outbound
from heliograph.settings import Settings
from operations.doors import prompt_experiments
from operations.doors.keys import keys
from operations.doors.limits import limits
from operations.doors.pool import pool_of
from operations.doors.prices import prices
from serve_apps.api.dependencies import Administration, QueryDependencies
from serve_apps.metrics import Scrape
from serve_apps.query_api import query_application
from serve_apps.replica_meter import ReplicaMeter
from storage.clickhouse.connection import ClickHouse
from storage.objects import connection as objects
from storage.objects.exports import ExportObjects
from storage.objects.media import MediaObjects
from storage.objects.payloads import PayloadObjects
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.prompt_cache import PromptCache
from storage.postgres.prompt_changes import PROMPTS_CHANNEL
from storage.seal import Seal


async def build(settings: Settings, meter: ReplicaMeter) -> ASGIApp:
    """The application of one replica."""
    database = Database(settings.postgres_dsn)
    meter.add(pool_of(database))
    store = objects.connect(settings.s3, settings.s3_url)
    clickhouse = ClickHouse(settings.clickhouse, settings.clickhouse_url)
    prompts = PromptCache(database)
    known, books = keys(settings, database, {PROMPTS_CHANNEL: prompts}), await prices(database)
    meter.add(known.measured)
    limited = await limits(settings, database)
    meter.add(limited.measured)
    scrape = Scrape(directory.metrics_board(), token=settings.metrics_token, is_private=settings.is_on_loopback)
    administration = Administration(
        ApiKeys(database, settings.pepper),
        Seal(settings.encryption_key, settings.former_encryption_keys),
        Outbound(settings.outbound.allowed_networks),
        settings.admin_api_key,
    )
    experiments = prompt_experiments.worker(settings, database, administration)
    return query_application(
        QueryDependencies(
            clickhouse,
            database,
            known.cache,
            directory.deletion_requests(settings, database),
            MediaObjects.connect(settings),
            prompts,
            administration,
            prices=books,
            limits=limited,
            payloads=PayloadObjects(store, settings.s3.bucket, ThreadPoolExecutor(1)),
            exports=ExportObjects.connect(settings),
            companions=(*known.companions, books.run, limited.run, experiments.run),
            scrape=scrape,
        )
    )
