"""How a project's connection to a provider is used: the model's name for litellm, and what its calls are given."""

import json
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from evals.providers.library import litellm
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.llm_connections import (
    BEDROCK_DEFAULT_CREDENTIALS,
    Adapter,
    LlmConnection,
    OpenedLlmConnection,
)
from heliograph.outbound import CallFailed, Outbound

# litellm's name of each protocol, and of the provider whose models it lists.
_PROTOCOLS = {
    Adapter.OPENAI: ("openai", "openai"),
    Adapter.ANTHROPIC: ("anthropic", "anthropic"),
    Adapter.AZURE: ("azure", "azure"),
    Adapter.BEDROCK: ("bedrock", "bedrock_converse"),
    Adapter.GOOGLE_VERTEX_AI: ("vertex_ai", "vertex_ai-language-models"),
    Adapter.GOOGLE_AI_STUDIO: ("gemini", "gemini"),
}
_AZURE_VERSION = "2024-10-21"


@dataclass(frozen=True)
class Reached:
    """A model as litellm is asked for it; what holds secrets is not shown.

    Attributes:
        facts: the address, the secret and what else a call names.
        opened: the connection.
        outbound: guards every call.
    """

    model: str
    facts: dict[str, Any] = field(repr=False)
    opened: OpenedLlmConnection = field(repr=False)
    outbound: Outbound = field(repr=False)

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """The facts, and a client behind the guard: for calls that litellm makes itself."""
        return self.facts | {"client": _client(self.opened, self.outbound)}


async def check_address(base_url: str | None, outbound: Outbound) -> None:
    """Raises InvalidRequest when a connection's address must not be called; none is the provider's own."""
    if base_url:
        try:
            await outbound.check(base_url)
        except (CallFailed, ValueError) as error:
            raise InvalidRequest("baseURL", str(error)) from None


def models_of(connection: LlmConnection) -> list[str]:
    """The models that a connection offers: its own, and where it says so those that are known of its provider."""
    known = _chat_models(_PROTOCOLS[connection.adapter][1]) if connection.with_default_models else ()
    return list(dict.fromkeys([*connection.custom_models, *known]))


def model_name(adapter: Adapter, model: str) -> str:
    """What litellm calls a model that is reached by this protocol."""
    return f"{_PROTOCOLS[adapter][0]}/{model}"


def reached(opened: OpenedLlmConnection, model: str, outbound: Outbound) -> Reached:
    """A model behind a connection, every call of which goes through the guard.

    Raises:
        InvalidRequest: the connection's secret is not what its adapter needs.
    """
    connection = opened.connection
    arguments: dict[str, Any] = {}
    if opened.extra_headers:
        arguments["extra_headers"] = dict(opened.extra_headers)
    if connection.base_url:
        arguments["api_base"] = connection.base_url
    config = connection.config or {}
    match connection.adapter:
        case Adapter.BEDROCK:
            arguments |= {"aws_region_name": config.get("region"), **_bedrock(opened.secret_key)}
        case Adapter.GOOGLE_VERTEX_AI:
            arguments |= {"vertex_credentials": opened.secret_key, "vertex_location": config.get("location")}
        case Adapter.AZURE:
            arguments |= {"api_key": opened.secret_key, "api_version": _AZURE_VERSION}
        case _:
            arguments["api_key"] = opened.secret_key
    return Reached(model_name(connection.adapter, model), arguments, opened, outbound)


def _client(opened: OpenedLlmConnection, outbound: Outbound) -> Any:
    """What calls, of the kind that litellm expects for the adapter."""
    # Loaded with litellm, which needs it.
    import httpx  # noqa: PLC0415
    import openai  # noqa: PLC0415

    connection, through = opened.connection, outbound.transport()
    http: Any = httpx.AsyncClient(transport=through, timeout=None)  # noqa: S113 - each call has one
    match connection.adapter:
        case Adapter.OPENAI:
            return openai.AsyncOpenAI(
                api_key=opened.secret_key, base_url=connection.base_url, http_client=http, max_retries=0
            )
        case Adapter.AZURE:
            return openai.AsyncAzureOpenAI(
                api_key=opened.secret_key, azure_endpoint=connection.base_url or "", api_version=_AZURE_VERSION,
                http_client=http, max_retries=0,
            )  # fmt: skip
        case _:
            handler = litellm().llms.custom_httpx.http_handler.AsyncHTTPHandler
            return handler(transport=through)


def _bedrock(secret: str) -> dict[str, Any]:
    if secret == BEDROCK_DEFAULT_CREDENTIALS:
        return {}
    try:
        keys = json.loads(secret)
        return {"aws_access_key_id": keys["accessKeyId"], "aws_secret_access_key": keys["secretAccessKey"]}
    except (ValueError, KeyError, TypeError):
        raise InvalidRequest("secretKey", "of bedrock is JSON with accessKeyId and secretAccessKey") from None


@cache
def _chat_models(provider: str) -> tuple[str, ...]:
    """The names by which the provider itself knows its chat models."""
    known = litellm().model_cost
    found = (
        name.rpartition("/")[2]
        for name, facts in known.items()
        if facts.get("litellm_provider") == provider and facts.get("mode") == "chat" and not name.startswith("ft:")
    )
    return tuple(sorted(set(found)))
