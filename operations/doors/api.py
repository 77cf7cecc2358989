"""The query API and what it is given."""

from starlette.types import ASGIApp

from actors import directory
from heliograph.settings import Settings
from operations.doors.keys import keys
from operations.doors.prices import prices
from serve_apps.api.dependencies import QueryDependencies
from serve_apps.query_api import query_application
from storage.clickhouse.connection import ClickHouse
from storage.postgres.connection import Database


async def build(settings: Settings) -> ASGIApp:
    """The application of one replica."""
    database = Database(settings.postgres_dsn)
    clickhouse = ClickHouse(settings.clickhouse, settings.clickhouse_url)
    known, books = keys(settings, database), await prices(database)
    return query_application(
        QueryDependencies(
            clickhouse,
            database,
            known.cache,
            directory.deletion_requests(settings, database),
            prices=books,
            companions=(*known.companions, books.run),
        )
    )
