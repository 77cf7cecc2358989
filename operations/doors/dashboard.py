"""The dashboard and what it is given."""

from starlette.types import ASGIApp

from actors import directory
from actors.intake import Intake, project_rules
from actors.judging import pacing_of
from dashboard.app import DashboardDependencies, dashboard_application
from dashboard.model_calls import Providers
from dashboard.own_events import OwnEvents
from dashboard.queries.project import Measured
from heliograph.outbound import Outbound
from heliograph.settings import Settings
from operations.doors.pool import pool_of
from serve_apps.replica_meter import ReplicaMeter
from storage.clickhouse.connection import ClickHouse
from storage.objects.media import MediaObjects
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.users import Users
from storage.seal import Seal


async def build(settings: Settings, meter: ReplicaMeter) -> ASGIApp:
    """The application of one replica."""
    database = Database(settings.postgres_dsn)
    meter.add(pool_of(database))
    outbound = Outbound(settings.outbound.allowed_networks)
    board = directory.metrics_board()
    return dashboard_application(
        DashboardDependencies(
            users=Users(database),
            api_keys=ApiKeys(database, settings.pepper),
            clickhouse=ClickHouse(settings.clickhouse, settings.clickhouse_url),
            database=database,
            media=MediaObjects.connect(settings),
            events=_events(settings, database),
            providers=Providers(
                Seal(settings.encryption_key, settings.former_encryption_keys),
                outbound,
                pacing_of,
            ),
            url=settings.url,
            session_secret=settings.session_secret,
            measured=Measured(board, board),
            single_sign_on=settings.single_sign_on,
            outbound=outbound,
        )
    )


def _events(settings: Settings, database: Database) -> OwnEvents:
    intake = Intake(project_rules(settings, database), lambda: directory.lane_client(settings))
    return OwnEvents(intake, directory.deletion_requests(settings, database))
