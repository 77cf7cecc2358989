"""Connections to providers of models as the API shows and takes them."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from heliograph.domain.llm_connections import Adapter, LlmConnection, NewLlmConnection, check_headers
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.organizations import Metadata
from serve_apps.api.shapes.values import Instant, JsonObject, JsonShape, iso


def _headers(headers: dict[str, str] | None) -> dict[str, str] | None:
    check_headers(headers or {})
    return headers


class LlmConnectionBody(Body):
    """A connection to be kept, in place of the provider's earlier one."""

    provider: Annotated[Text, Field(min_length=1, max_length=255)]
    adapter: Adapter
    secret_key: Annotated[Text, Field(min_length=1, max_length=20_000)]
    base_url: Annotated[Text, Field(max_length=2_000)] | None = Field(default=None, validation_alias="baseURL")
    custom_models: (
        Annotated[list[Annotated[Text, Field(min_length=1, max_length=255)]], Field(max_length=500)] | None
    ) = None
    with_default_models: bool | None = None
    extra_headers: Annotated[
        dict[str, Annotated[str, Field(max_length=8_000)]] | None, AfterValidator(_headers), Field(max_length=50)
    ] = None
    config: Metadata = None

    @property
    def connection(self) -> NewLlmConnection:
        """The connection that it declares."""
        return NewLlmConnection(
            provider=self.provider,
            adapter=self.adapter,
            secret_key=self.secret_key,
            base_url=self.base_url or None,
            custom_models=tuple(self.custom_models or ()),
            with_default_models=self.with_default_models is not False,
            extra_headers=self.extra_headers or {},
            config=self.config or None,
        )


class LlmConnectionShape(JsonShape):
    """A connection without its secrets."""

    id: str
    provider: str
    adapter: Adapter
    displaySecretKey: str
    baseURL: str | None
    customModels: Sequence[str]
    withDefaultModels: bool
    extraHeaderKeys: Sequence[str]
    config: JsonObject | None
    createdAt: Instant
    updatedAt: Instant


def llm_connection_shape(connection: LlmConnection) -> LlmConnectionShape:
    """The contract's connection, without a secret."""
    return {
        "id": connection.id,
        "provider": connection.provider,
        "adapter": connection.adapter,
        "displaySecretKey": connection.secret_display,
        "baseURL": connection.base_url,
        "customModels": list(connection.custom_models),
        "withDefaultModels": connection.with_default_models,
        "extraHeaderKeys": list(connection.extra_header_keys),
        "config": connection.config,
        "createdAt": iso(connection.created_at),
        "updatedAt": iso(connection.updated_at),
    }
