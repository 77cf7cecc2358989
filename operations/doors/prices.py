"""Prices as every door has them."""

from ingestion.project_prices import ProjectPrices
from storage.postgres.connection import Database
from storage.postgres.models import AllModels


async def prices(database: Database) -> ProjectPrices:
    """The price books of a replica, cached in its memory; run them beside its requests."""
    books = ProjectPrices(AllModels(database))
    await books.look()
    return books
