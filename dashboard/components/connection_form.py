"""The form of an LLM connection; what is secret is only ever written into it."""

import json
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.llm_connections import Adapter, LlmConnection, NewLlmConnection

_BOX: dict[str, Any] = {"size": "small", "margin": (0, 12, 14, 0)}
_WIDE: dict[str, Any] = {"size": "small", "sizing_mode": "stretch_width", "margin": (0, 0, 14, 0)}
_ADAPTERS = {
    "OpenAI, or what speaks as it does": Adapter.OPENAI,
    "Anthropic": Adapter.ANTHROPIC,
    "Azure OpenAI": Adapter.AZURE,
    "Amazon Bedrock": Adapter.BEDROCK,
    "Google Vertex AI": Adapter.GOOGLE_VERTEX_AI,
    "Google AI Studio": Adapter.GOOGLE_AI_STUDIO,
}
# What an adapter needs beside an address, and what it is called there.
_PLACES = {Adapter.BEDROCK: "region", Adapter.GOOGLE_VERTEX_AI: "location"}
_SECRETS = {
    Adapter.BEDROCK: 'JSON: {"accessKeyId": "…", "secretAccessKey": "…"}',
    Adapter.GOOGLE_VERTEX_AI: "JSON of a service account",
}


class ConnectionForm:
    """A new connection, or the successor of one.

    Args:
        before: what it begins with; its secrets are not known here.
    """

    def __init__(self, before: LlmConnection | None) -> None:
        self._before = before
        known = before.adapter if before else Adapter.OPENAI
        self.provider = pmui.TextInput(
            label="Name", value=before.provider if before else "", placeholder="openai", width=220,
            visible=before is None, **_BOX,
        )  # fmt: skip
        self.adapter = pmui.Select(
            label="Protocol", options={title: str(each) for title, each in _ADAPTERS.items()}, value=str(known),
            width=300, **_BOX,
        )  # fmt: skip
        self.secret = pmui.PasswordInput(
            label="Secret key" if before is None else f"Secret key (kept: {before.secret_display})", width=420, **_BOX
        )
        self.address = pmui.TextInput(
            label="Base URL, where it is not the provider's own", value=(before.base_url if before else "") or "",
            placeholder="https://…/v1", **_WIDE,
        )  # fmt: skip
        self.models = pmui.TextInput(
            label="Models, separated by commas", value=", ".join(before.custom_models) if before else "",
            placeholder="gpt-4o-mini, my-own-model", **_WIDE,
        )  # fmt: skip
        self.has_known = pmui.Checkbox(
            label="Offer the known models of this provider, too", value=before.with_default_models if before else True,
            margin=(0, 0, 14, 0),
        )  # fmt: skip
        keys = ", ".join(before.extra_header_keys) if before else ""
        self.headers = pmui.PasswordInput(
            label=f"Extra headers, JSON{f' (kept: {keys})' if keys else ''}", placeholder='{"x-team": "…"}', width=420,
            **_BOX,
        )  # fmt: skip
        place = next(iter((before.config or {}).values()), "") if before else ""
        self.place = pmui.TextInput(label="Region", value=str(place), width=220, **_BOX)
        self.adapter.param.watch(self._follow, "value")
        self._follow()

    def view(self) -> pn.Column:
        """The form."""
        rows = [
            pn.Row(*boxes, sizing_mode="stretch_width", margin=0, styles={"flex-wrap": "wrap"})
            for boxes in ((self.provider, self.adapter, self.place), (self.secret, self.headers))
        ]
        words = panes.html(
            '<p class="quiet">Secrets are kept sealed and are never shown again: leave them empty to keep them.</p>'
        )
        return pn.Column(
            *rows, self.address, self.models, self.has_known, words, sizing_mode="stretch_width", margin=(14, 0, 0, 0)
        )

    def new(self) -> NewLlmConnection:
        """What was filled in; raises InvalidRequest."""
        adapter, place = Adapter(self.adapter.value), self.place.value_input.strip()
        return NewLlmConnection(
            provider=self._before.provider if self._before else self.provider.value_input.strip(),
            adapter=adapter,
            secret_key=self.secret.value_input.strip(),
            base_url=self.address.value_input.strip() or None,
            custom_models=self.own_models(),
            with_default_models=bool(self.has_known.value),
            extra_headers=_headers(self.headers.value_input),
            config={_PLACES[adapter]: place} if adapter in _PLACES and place else None,
        )

    def own_models(self) -> tuple[str, ...]:
        """The models that were named."""
        named = (model for part in self.models.value_input.split(",") if (model := part.strip()))
        return tuple(dict.fromkeys(named))

    def _follow(self, *_: object) -> None:
        adapter = Adapter(self.adapter.value)
        self.place.param.update(visible=adapter in _PLACES, label=_PLACES.get(adapter, "").capitalize())
        self.secret.placeholder = _SECRETS.get(adapter, "sk-…")


def _headers(text: str) -> dict[str, str]:
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidRequest("extra headers", f"are no JSON: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidRequest("extra headers", 'are an object of texts: {"x-team": "blue"}')
    return found
