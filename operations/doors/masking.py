"""Masking as the ingestion door has it."""

from heliograph.outbound import Outbound
from heliograph.settings import Settings
from ingestion.masking.callback import Callbacks
from ingestion.masking.projects import ProjectMasking
from storage.postgres.connection import Database
from storage.postgres.masking_rules import AllMaskingRules


async def maskings(database: Database) -> ProjectMasking:
    """The rules of all projects, cached in a replica's memory; run them beside its requests."""
    known = ProjectMasking(AllMaskingRules(database))
    await known.look()
    return known


def callbacks(settings: Settings) -> Callbacks:
    """What asks masking callbacks."""
    outbound = Outbound(settings.outbound.allowed_networks)
    return Callbacks(outbound, settings.masking.callback_timeout_seconds, settings.masking.callback_attempts)
