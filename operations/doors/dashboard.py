"""The dashboard and what it is given."""

from starlette.types import ASGIApp

from dashboard.app import DashboardDependencies, dashboard_application
from heliograph.settings import Settings
from storage.clickhouse.connection import ClickHouse
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.users import Users


async def build(settings: Settings) -> ASGIApp:
    """The application of one replica."""
    database = Database(settings.postgres_dsn)
    return dashboard_application(
        DashboardDependencies(
            users=Users(database),
            api_keys=ApiKeys(database, settings.pepper),
            clickhouse=ClickHouse(settings.clickhouse, settings.clickhouse_url),
            url=settings.url,
            session_secret=settings.session_secret,
        )
    )
