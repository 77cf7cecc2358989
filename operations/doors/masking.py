"""Masking as the ingestion door has it."""

from ingestion.masking.projects import ProjectMasking
from storage.postgres.connection import Database
from storage.postgres.masking_rules import AllMaskingRules


async def maskings(database: Database) -> ProjectMasking:
    """The rules of all projects, cached in a replica's memory; run them beside its requests."""
    known = ProjectMasking(AllMaskingRules(database))
    await known.look()
    return known
