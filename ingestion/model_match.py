"""Which model a name means: the first definition whose pattern is found in the name and that had begun to hold."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property

from heliograph.domain.models import Model
from ingestion.tiers import PricedModel

# Instrumentations report a handful of names; a project that makes them up must not grow the cache without end.
_MAX_CACHED = 4096
# What no model is called: a pattern that backtracks must not be given long texts.
_MAX_NAME = 256

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _Definition:
    """A model made ready when it is asked for: most of the managed ones never are, and all take half a second."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self._model.match_pattern)

    @cached_property
    def priced(self) -> PricedModel:
        return PricedModel(self._model)


class _Definitions:
    """The definitions that a name finds: dated ones, newest first, before the one that always holds."""

    __slots__ = ("_always", "_dated", "is_dated")

    def __init__(self, found: Sequence[PricedModel]) -> None:
        self._always = found[-1] if found and found[-1].model.start_date is None else None
        self._dated = [(_microseconds(each.model.start_date), each) for each in found if each.model.start_date]
        self.is_dated = bool(self._dated)

    def at(self, started_at: int) -> PricedModel | None:
        """The definition that held at a time in microseconds."""
        for begins_at, model in self._dated:
            if begins_at <= started_at:
                return model
        return self._always


class ModelMatcher:
    """Finds models by reported name.

    Args:
        models: in any order; those with a start date are asked first, the newest before the others.
        otherwise: who is asked when none of these is found.
    """

    def __init__(self, models: Sequence[Model], otherwise: "ModelMatcher | None" = None) -> None:
        self._models = [_Definition(model) for model in _in_order(models)]
        self._otherwise = otherwise
        self._found: dict[str, _Definitions] = {}
        # Of these the time does not matter, which is so for nearly all names.
        self._undated: dict[str, PricedModel | None] = {}

    def match(self, name: str, started_at: int) -> PricedModel | None:
        """The model that the name meant at a time in microseconds."""
        return self._definitions(name).at(started_at)

    def match_all(self, names: Sequence[str], started_at: Callable[[], Sequence[int]]) -> list[PricedModel | None]:
        """The models that the names meant; the times are asked for only if it depends on them."""
        undated = self._undated
        try:
            return [undated[name] for name in names]
        except KeyError:
            found = list(map(self._definitions, names))
        if not any(each.is_dated for each in found):
            return [each.at(0) for each in found]
        return [each.at(moment) for each, moment in zip(found, started_at(), strict=True)]

    def _definitions(self, name: str) -> _Definitions:
        found = self._found.get(name)
        if found is None:
            if len(self._found) >= _MAX_CACHED:
                self._found.clear()
                self._undated.clear()
            found = self._found[name] = _Definitions(list(self._matching(name)))
            if not found.is_dated:
                self._undated[name] = found.at(0)
        return found

    def _matching(self, name: str) -> Iterator[PricedModel]:
        """The definitions that the name finds, as far as one may hold: none is asked after one that always does."""
        if not name or len(name) > _MAX_NAME:
            return
        for each in self._models:
            if each.pattern.search(name):
                yield each.priced
                if each.priced.model.start_date is None:
                    return
        if self._otherwise is not None:
            yield from self._otherwise._matching(name)  # noqa: SLF001 - of the same class


def _in_order(models: Sequence[Model]) -> list[Model]:
    return sorted(models, key=lambda model: _EPOCH - (model.start_date or _EPOCH))


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
