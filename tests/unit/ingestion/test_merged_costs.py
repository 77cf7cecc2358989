"""Merged observations of several projects, each priced by its own definitions."""

from decimal import Decimal

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.models import CallCondition, Circumstance, Model, PricingTier
from ingestion.batch.observation_fields import USAGE_DETAIL
from ingestion.batch.observations import MergedObservation, rows
from ingestion.merge import SEEN, Stamped
from ingestion.pricing import PriceBook
from tests.unit.ingestion.spans import plain

FLEX = CallCondition(Circumstance.MODEL_PARAMETERS, "service_tier", ("flex",))


class BooksByProject:
    """A book for each project, whose input costs as many pico-dollars as its id says, and ten times as much in flex."""

    def of(self, project_id: ProjectId) -> PriceBook:
        price = int(project_id)
        tiers = PricingTier("Standard", {"input": price}), PricingTier("flex", {"input": 10 * price}, 1, (FLEX,))
        return PriceBook([Model(f"model-{project_id}", "m", "^m$", tiers)])


def generation(project_id: str, **texts: str) -> MergedObservation:
    fields = {SEEN: "", "model": "m", f"{USAGE_DETAIL}input": "7", **texts}
    return MergedObservation(project_id, "t", "o", {name: Stamped(1, "", text) for name, text in fields.items()})


def test_each_observation_is_priced_by_its_own_projects_definitions() -> None:
    merged = [
        generation("2"),
        generation("3", **{f"{USAGE_DETAIL}odd": "1"}),
        generation("2", model_parameters='{"service_tier": "flex"}'),
    ]
    found = plain(rows(merged, BooksByProject()))
    assert [one["model_id"] for one in found] == ["model-2", "model-3", "model-2"]
    assert [one["total_cost"] for one in found] == [Decimal(units).scaleb(-12) for units in (14, 21, 140)]
    assert [one["pricing_tier"] for one in found] == ["Standard", "Standard", "flex"]
    assert [one["unpriced_usage"] for one in found] == [[], ["odd"], []]
