"""Connections to providers of models: what judges and the playground call with."""

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic.dataclasses import dataclass

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import ProjectId

# In place of a secret: the credentials of the machine that calls.
BEDROCK_DEFAULT_CREDENTIALS = "__BEDROCK_DEFAULT_CREDENTIALS__"
_SHOWN_CHARACTERS = 4
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# They decide where a request goes, or how it is read.
_RESERVED = {"host", "content-length", "transfer-encoding", "connection"}


class Adapter(StrEnum):
    """The protocol of a provider."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"
    AZURE = "azure"
    BEDROCK = "bedrock"
    GOOGLE_VERTEX_AI = "google-vertex-ai"
    GOOGLE_AI_STUDIO = "google-ai-studio"


@dataclass(frozen=True)
class NewLlmConnection:
    """A connection as it is to be kept, with its secrets."""

    provider: str
    adapter: Adapter
    secret_key: str = field(repr=False)
    base_url: str | None = None
    custom_models: tuple[str, ...] = ()
    with_default_models: bool = True
    extra_headers: dict[str, str] = field(default_factory=dict, repr=False)
    config: dict[str, Any] | None = None


@dataclass(frozen=True)
class LlmConnection:
    """A connection as it is shown: of its secrets only what tells them apart."""

    id: str
    project_id: ProjectId
    provider: str
    adapter: Adapter
    secret_display: str
    base_url: str | None
    custom_models: tuple[str, ...]
    with_default_models: bool
    extra_header_keys: tuple[str, ...]
    config: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class OpenedLlmConnection:
    """A connection with its secrets, for who calls the provider. It must not be shown, logged or stored."""

    connection: LlmConnection
    secret_key: str = field(repr=False)
    extra_headers: dict[str, str] = field(repr=False)

    @property
    def pacing_key(self) -> str:
        """What a provider's limit is of, as far as we know: whoever asks with it shares one limiter. It is secret."""
        return f"{self.connection.base_url}\0{self.secret_key}"


def display(secret: str) -> str:
    """The end of a secret, by which people tell it from others."""
    return f"...{secret[-_SHOWN_CHARACTERS:]}" if len(secret) > 2 * _SHOWN_CHARACTERS else "..."


def check_headers(headers: Mapping[str, str]) -> None:
    """Raises ValueError when one of the headers cannot be sent along."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _RESERVED:
            raise ValueError(f"{name!r} is no header that can be sent along")
        if _CONTROL.search(value) or not value.isascii():
            raise ValueError(f"the value of {name!r} has characters that no header holds")


def check(new: NewLlmConnection) -> None:
    """Raises InvalidRequest when an adapter cannot do with what is given."""
    try:
        check_headers(new.extra_headers)
    except ValueError as error:
        raise InvalidRequest("extraHeaders", str(error)) from None
    config = new.config or {}
    match new.adapter:
        case Adapter.BEDROCK:
            _require_text(config, "region", "names the AWS region")
        case Adapter.GOOGLE_VERTEX_AI:
            if "location" in config:
                _require_text(config, "location", "names the location")
        case Adapter.AZURE if not new.base_url:
            raise InvalidRequest("baseURL", "is needed: Azure has an address for each resource")
        case _ if new.config:
            raise InvalidRequest("config", f"is not for the adapter {new.adapter}")
        case _:
            pass
    if new.secret_key == BEDROCK_DEFAULT_CREDENTIALS and new.adapter is not Adapter.BEDROCK:
        raise InvalidRequest("secretKey", "stands for credentials of AWS, which only bedrock takes")


def _require_text(config: dict[str, Any], name: str, meaning: str) -> None:
    value = config.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"config.{name}", f"{meaning}: give a text")
