"""What pages of evaluation need beside the site: a provider that the project can call."""

from heliograph.domain.llm_connections import Adapter, NewLlmConnection
from storage.postgres.connection import opened
from storage.postgres.llm_connections import LlmConnections
from tests.browser.conftest import SEAL, Site, arranged


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
