"""The pool of connections to PostgreSQL as a metric."""

from serve_apps.replica_meter import Collect
from storage.postgres.connection import Database


def pool_of(database: Database) -> Collect:
    """Values of the pool at the time of the report."""

    def collect() -> dict[str, float]:
        in_use, limit = database.connections
        return {"heliograph_postgres_pool_in_use": in_use, "heliograph_postgres_pool_limit": limit}

    return collect
