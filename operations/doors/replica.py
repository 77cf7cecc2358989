"""A replica of any door: its application, what it measures of itself, and its reports of that."""

import importlib

from starlette.types import ASGIApp

from actors import directory
from actors.metrics_board import Reporter
from heliograph import tracing
from heliograph.settings import Settings
from serve_apps.replica_meter import Metered, ReplicaMeter
from serve_apps.traced import Traced


async def build(door: str, settings: Settings, replica: str) -> ASGIApp:
    """The application of one replica.

    Args:
        door: the name of its module.
        settings: of the deployment.
        replica: what tells it from the others.
    """
    meter = ReplicaMeter(door, replica)
    application: ASGIApp = await importlib.import_module(f"operations.doors.{door}").build(settings, meter)
    tracing.configure_traces(settings.telemetry, door)
    if tracing.is_on():
        application = Traced(application)
    return Metered(application, meter, [Reporter(meter.source, meter.samples, directory.metrics_board()).run])
