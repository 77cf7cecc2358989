"""Which model a name means: the first definition whose pattern matches the whole name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# Instrumentations report a handful of names; a project that makes them up must not grow the cache without end.
_MAX_CACHED = 4096


@dataclass(frozen=True)
class Model:
    """A model with its prices.

    Attributes:
        id: identifies the definition.
        name: what people call the model.
        match_pattern: the regular expression that its reported names match, as PostgreSQL's `~` reads it.
        prices: pico-dollars per unit, by usage key.
        pricing_tier: the tier that the prices belong to.
    """

    id: str
    name: str
    match_pattern: str
    prices: Mapping[str, int] = field(default_factory=dict)
    pricing_tier: str = "Standard"


class ModelMatcher:
    """Finds models by reported name; earlier definitions win, so a project's own come before the managed ones."""

    def __init__(self, models: Sequence[Model]) -> None:
        self._models = [(re.compile(model.match_pattern), model) for model in models]
        self._found: dict[str, Model | None] = {}

    def match(self, name: str) -> Model | None:
        """The model that the name means."""
        if name in self._found:
            return self._found[name]
        model = next((model for pattern, model in self._models if pattern.search(name)), None)
        if len(self._found) >= _MAX_CACHED:
            self._found.clear()
        self._found[name] = model
        return model
