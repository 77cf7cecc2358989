"""What usage costs, in whole pico-dollars (10^-12 US dollars), so that sums are exact in any order."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from heliograph.domain.costs import MAX_UNITS, units_of
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.models import Model
from ingestion.managed_prices import managed_models
from ingestion.model_match import ModelMatcher
from ingestion.tiers import Costs, PricedModel


class PriceBook:
    """Prices usage by the model that was called.

    Args:
        models: the definitions of a project, or the managed ones.
        otherwise: the book to look in when none of these is meant.
    """

    def __init__(self, models: Sequence[Model], otherwise: "PriceBook | None" = None) -> None:
        self._matcher: ModelMatcher = ModelMatcher(models, otherwise._matcher if otherwise else None)  # noqa: SLF001 - same class
        self._by_id = {model.id: model for model in models}
        self._otherwise = otherwise

    def match(self, model: str, at: datetime | None = None) -> Model | None:
        """The definition that the name means, or meant at that time."""
        moment = round(at.timestamp() * 1_000_000) if at else MAX_UNITS
        found = self._matcher.match(model, moment)
        return found.model if found else None

    def match_all(self, models: Sequence[str], started_at: Callable[[], Sequence[int]]) -> list[PricedModel | None]:
        """The definitions that the names meant at times in microseconds, ready to price usage."""
        return self._matcher.match_all(models, started_at)

    @property
    def models(self) -> list[Model]:
        """This book's own definitions."""
        return list(self._by_id.values())

    def model(self, model_id: str) -> Model | None:
        """The definition with this id."""
        found = self._by_id.get(model_id)
        return found or (self._otherwise.model(model_id) if self._otherwise else None)

    def of(self, _project_id: ProjectId) -> "PriceBook":
        """Itself: one book alone holds for every project."""
        return self


class PriceBooks(Protocol):
    """The price book of each project."""

    def of(self, project_id: ProjectId, /) -> PriceBook:
        """The book that prices this project's usage."""
        ...


def provided(costs: Mapping[str, object]) -> Costs:
    """Costs that came with the event, in pico-dollars; only finite, non-negative numbers."""
    known = {key: units_of(value) for key, value in costs.items()}
    return {key: cost for key, cost in known.items() if cost is not None}


def with_total(costs: Costs) -> Costs:
    """Provided costs with their total: as given, else input and output, but only if nothing else was given."""
    if not costs or "total" in costs or not costs.keys() <= {"input", "output"}:
        return costs
    return {**costs, "total": min(sum(costs.values()), MAX_UNITS)}


@lru_cache(maxsize=1)
def managed_prices() -> PriceBook:
    """The price book of the well-known models that ships with Heliograph."""
    return PriceBook(managed_models())
