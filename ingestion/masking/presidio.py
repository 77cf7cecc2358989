"""Microsoft Presidio, an optional extra: finds names, places and whatever else its models know."""

import importlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from heliograph.domain.errors import InvalidRequest

_MISSING = "needs Presidio: install `presidio-analyzer` and a language model where Heliograph runs"


class Analyzer(Protocol):
    """What is used of Presidio's AnalyzerEngine."""

    def analyze(self, text: str, language: str, entities: Sequence[str] | None = None) -> Sequence[Any]:
        """Findings with `start` and `end`."""
        ...


class PresidioFinder:
    """Finds entities of Presidio; '' means all that it knows."""

    hint = None

    def __init__(self, entities: str, analyzer: Analyzer) -> None:
        self._entities = [name for entity in entities.split(",") if (name := entity.strip())] or None
        self._analyzer = analyzer

    def spans(self, text: str) -> Iterable[tuple[int, int]]:
        """The findings; overlapping ones as one."""
        reached = 0
        found = self._analyzer.analyze(text=text, language="en", entities=self._entities)
        for start, end in sorted((one.start, one.end) for one in found):
            if end > reached:
                yield max(start, reached), end
                reached = end


def finder(entities: str) -> PresidioFinder:
    """The finder of these entities; raises InvalidRequest where Presidio is not installed."""
    return PresidioFinder(entities, _analyzer())


@lru_cache(maxsize=1)
def _analyzer() -> Analyzer:
    try:
        module = importlib.import_module("presidio_analyzer")
        analyzer: Analyzer = module.AnalyzerEngine()
    except (ImportError, OSError, SystemExit) as error:  # it ends the process where it cannot fetch its model
        raise InvalidRequest("kind", _MISSING) from error
    return analyzer
