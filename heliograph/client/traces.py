"""Single traces."""

from collections.abc import Mapping
from typing import Any

from heliograph.client import html


class Trace:
    """A trace with its observations and scores, whole payloads included; notebooks show it as a tree.

    Attributes:
        found: what `GET /api/public/traces/{id}` answers.
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.found["id"])

    @property
    def observations(self) -> list[dict[str, Any]]:
        """Its observations, in the order in which they began."""
        return list(self.found.get("observations") or [])

    @property
    def scores(self) -> list[dict[str, Any]]:
        """Its scores and those of its observations."""
        return list(self.found.get("scores") or [])

    def __repr__(self) -> str:
        return f"Trace({self.id!r}, {len(self.observations)} observations)"

    def _repr_html_(self) -> str:
        return html.trace(self.found)
