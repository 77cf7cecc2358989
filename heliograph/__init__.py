"""Heliograph: tracing, evaluation and analytics for applications built on language models."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heliograph.client.columns import col
    from heliograph.client.connecting import connect, connect_async
    from heliograph.client.evaluations import on_server
    from heliograph.domain.gates import Gate, GateRule
    from heliograph.domain.score_analytics import Rater

__version__ = "0.1.0"
__all__ = ["Gate", "GateRule", "Rater", "col", "connect", "connect_async", "on_server"]

# Found when they are first used: the platform's processes import this package for its version alone.
_FACES = {
    "col": "heliograph.client.columns",
    "connect": "heliograph.client.connecting",
    "connect_async": "heliograph.client.connecting",
    "on_server": "heliograph.client.evaluations",
    "Gate": "heliograph.domain.gates",
    "GateRule": "heliograph.domain.gates",
    "Rater": "heliograph.domain.score_analytics",
}


def __getattr__(name: str) -> Any:
    """What a script uses, from where it is defined."""
    if name not in _FACES:
        raise AttributeError(f"module 'heliograph' has no attribute {name!r}")
    return getattr(import_module(_FACES[name]), name)
