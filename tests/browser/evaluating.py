"""What evaluations of the browser's tests need: a connection, targets, and, as on the cluster, a worker."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from evals.providers.library import litellm
from heliograph.domain.evaluation_runs import Place
from heliograph.domain.llm_connections import Adapter, NewLlmConnection
from heliograph.settings import Settings
from pipelines.evaluation_part import carry_out
from storage.clickhouse.connection import ClickHouse, connect_blocking
from storage.postgres.connection import opened
from storage.postgres.evaluation_parts import EvaluationParts
from storage.postgres.llm_connections import LlmConnections
from tests import factories
from tests.browser.conftest import SEAL, SEAL_KEY, Site, arranged
from tests.evaluation_workers import reaching_loopback, worker_stores
from tests.stored_events import StoredAtOnce

_LOOK_SECONDS = 0.2


def connect(site: Site, url: str, *, provider: str = "house") -> None:
    """Have the full project call a provider at this address."""
    new = NewLlmConnection(
        provider=provider, adapter=Adapter.OPENAI, secret_key="sk-of-the-tests", base_url=url,
        custom_models=("gpt-4o-mini",), with_default_models=False,
    )  # fmt: skip

    async def connecting() -> None:
        async with opened(site.stores.postgres_dsn) as database:
            await LlmConnections(database, site.full.id, SEAL).put(new)

    arranged(connecting())


def observe(site: Site, environment: str, count: int) -> None:
    """So many generations that differ, of an environment of their own and older than what other tests look at."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=40)
    rows = [
        factories.observation(
            site.full.id, f"{number:031x}e", f"{number:015x}e", type="GENERATION", name="answer",
            environment=environment, start_time=at + timedelta(seconds=number),
            input=f"question {number}", output=f"answer {number}",
        )
        for number in range(count)
    ]  # fmt: skip
    client = connect_blocking(site.stores.clickhouse, site.stores.clickhouse_url)
    client.insert_arrow("observations", factories.table("observations", rows))
    client.close()


@contextmanager
def carried_out(site: Site) -> Iterator[None]:
    """Runs are carried out, a part at a time, until the context ends."""
    litellm()  # takes seconds, which are not those of a test's patience
    until = threading.Event()
    settings = reaching_loopback(site.stores).model_copy(update={"encryption_key": SEAL_KEY})
    thread = threading.Thread(target=lambda: asyncio.run(_carry_out(settings, until)), daemon=True)
    thread.start()
    try:
        yield
    finally:
        until.set()
        thread.join(20)


async def _carry_out(settings: Settings, until: threading.Event) -> None:
    clickhouse = ClickHouse(settings.clickhouse, settings.clickhouse_url)
    async with opened(settings.postgres_dsn) as database:
        stores = worker_stores(settings, clickhouse, database, lanes=StoredAtOnce(settings), limiters={})
        ledger = EvaluationParts(database)
        while not until.is_set():
            for run in await ledger.running():
                for part in await ledger.claimable(run.id, Place.SERVER):
                    await carry_out(run, part, stores)
            await asyncio.sleep(_LOOK_SECONDS)
    await clickhouse.close()
