"""The unit prices of the model that an observation called."""

from decimal import Decimal
from typing import NamedTuple

from heliograph.domain.observations import Observation
from ingestion.pricing import PriceBook
from ingestion.rows import PICO


class UnitPrices(NamedTuple):
    """US dollars per unit."""

    input: Decimal | None = None
    output: Decimal | None = None
    total: Decimal | None = None


def unit_prices(observation: Observation, prices: PriceBook) -> UnitPrices:
    """The prices of the definition that priced the observation; none once that definition is gone."""
    model = prices.match(observation.provided_model_name) if observation.model_id else None
    if model is None or model.id != observation.model_id:
        return UnitPrices()
    return UnitPrices(
        *(Decimal(model.prices[key]) / PICO if key in model.prices else None for key in UnitPrices._fields)
    )
