"""The connections of a project to providers of models: what judges and prompt experiments ask with."""

from collections.abc import Sequence
from typing import Any

from heliograph.client.connection import Connection
from heliograph.domain.llm_connections import Adapter


class LlmConnections:
    """The connections of a project. Secrets go in, and never come out.

    Example:
        >>> project.llm_connections.put("openai", secret_key=key)
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self) -> list[dict[str, Any]]:
        """The first hundred, oldest first: `provider`, `adapter`, `displaySecretKey`, `baseURL`, `customModels`, …."""
        found: list[dict[str, Any]] = self._connection.request("GET", "/llm-connections?limit=100")["data"]
        return found

    def put(
        self,
        provider: str,
        *,
        secret_key: str,
        adapter: Adapter | str = Adapter.OPENAI,
        base_url: str | None = None,
        models: Sequence[str] = (),
    ) -> None:
        """Keep a connection, in place of an earlier one of the same provider.

        Args:
            provider: what judges call it, as in `provider/model`.
            secret_key: of the provider.
            adapter: the protocol that it speaks: `openai`, `anthropic`, `azure`, `bedrock`, `google-vertex-ai`,
                `google-ai-studio`.
            base_url: of a provider, or a proxy, that is somewhere else than usual.
            models: that it offers beside those that are known of its kind.

        Raises:
            InvalidRequest: the server may not call that address, or the secret is not what the protocol needs.
        """
        asked = {
            "provider": provider, "adapter": str(adapter), "secretKey": secret_key, "baseURL": base_url,
            "customModels": list(models),
        }  # fmt: skip
        self._connection.request("PUT", "/llm-connections", asked)
