"""The prompts of a project: versions with labels."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from heliograph.client.connection import Connection
from heliograph.domain.prompts import PRODUCTION

PromptBody = str | Sequence[Mapping[str, Any]]


class Prompts:
    """The prompts of a project.

    Example:
        >>> project.prompts.create("answer", "Answer in one sentence: {{question}}", labels=["candidate"])
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self, name: str, body: PromptBody, *, labels: Sequence[str] = (), config: Mapping[str, Any] | None = None
    ) -> int:
        """Create the next version of a prompt; returns its number.

        Args:
            name: of the prompt.
            body: a text, or the messages of a chat (`role` and `content`); `{{name}}` is a variable.
            labels: what the version is called; a label that another version had moves here.
            config: whatever the application reads with it.

        Raises:
            InvalidRequest: the name, a label or the body cannot be one.
        """
        kind, prompt = ("text", body) if isinstance(body, str) else ("chat", [dict(message) for message in body])
        asked = {"name": name, "type": kind, "prompt": prompt, "labels": list(labels), "config": dict(config or {})}
        return int(self._connection.request("POST", "/v2/prompts", asked)["version"])

    def get(self, name: str, *, label: str = PRODUCTION, version: int | None = None) -> dict[str, Any]:
        """One version, by its number or its label: `prompt`, `config`, `labels`, …; raises NotFound."""
        asked = urlencode({"label": label} if version is None else {"version": version})
        found: dict[str, Any] = self._connection.request("GET", f"/v2/prompts/{quote(name, safe='')}?{asked}")
        return found
