"""The unit prices of the model that an observation called."""

from decimal import Decimal
from typing import NamedTuple

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.model_documents import dollars
from heliograph.domain.observations import Observation
from ingestion.pricing import PriceBooks


class UnitPrices(NamedTuple):
    """US dollars per unit."""

    input: Decimal | None = None
    output: Decimal | None = None
    total: Decimal | None = None


def unit_prices(observation: Observation, prices: PriceBooks) -> UnitPrices:
    """The prices of the tier that priced the observation; none once its definition is gone."""
    model = prices.of(ProjectId(observation.project_id)).model(observation.model_id)
    if model is None:
        return UnitPrices()
    unit = model.tier(observation.pricing_tier).prices
    return UnitPrices(*(dollars(unit[key]) if key in unit else None for key in UnitPrices._fields))
