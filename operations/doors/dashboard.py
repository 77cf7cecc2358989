"""The dashboard and what it is given."""

from starlette.types import ASGIApp

from dashboard.app import DashboardDependencies, dashboard_application
from heliograph.settings import Settings
from operations.doors.pool import pool_of
from serve_apps.replica_meter import ReplicaMeter
from storage.clickhouse.connection import ClickHouse
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.users import Users


async def build(settings: Settings, meter: ReplicaMeter) -> ASGIApp:
    """The application of one replica."""
    database = Database(settings.postgres_dsn)
    meter.add(pool_of(database))
    return dashboard_application(
        DashboardDependencies(
            users=Users(database),
            api_keys=ApiKeys(database, settings.pepper),
            clickhouse=ClickHouse(settings.clickhouse, settings.clickhouse_url),
            database=database,
            url=settings.url,
            session_secret=settings.session_secret,
        )
    )
