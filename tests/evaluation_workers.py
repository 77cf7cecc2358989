"""What a worker of evaluations has, within one process: its limiters and budgets without Ray."""

from actors.adaptive_rate import RateBounds
from actors.budget import BudgetGate
from actors.intake import Appends
from actors.rate_limiter import RateLimiter
from evals.judging.cache import MemoryCache
from heliograph.settings import OutboundSettings, Settings
from pipelines.evaluation_part import WorkerStores
from storage.clickhouse.connection import ClickHouse
from storage.postgres.budgets import Budgets
from storage.postgres.connection import Database

Limiters = dict[str, RateLimiter]


def reaching_loopback(settings: Settings) -> Settings:
    """The settings, with providers on this machine."""
    outbound = OutboundSettings.model_validate({"allowed_networks": ["127.0.0.0/8"]})
    return settings.model_copy(update={"outbound": outbound})


def worker_stores(
    settings: Settings, clickhouse: ClickHouse, database: Database, *, lanes: Appends, limiters: Limiters
) -> WorkerStores:
    """Stores whose workers share these limiters and one gate of budgets, and remember no answer."""

    def limiter(provider: str, key: str) -> RateLimiter:
        return limiters.setdefault(f"{provider}{key}", RateLimiter(provider, bounds=RateBounds(first=100.0)))

    gate = BudgetGate(Budgets(database))
    return WorkerStores(settings, clickhouse, database, lanes, limiter=limiter, gate=gate, cache=MemoryCache(0))
