"""Usage and cost details: amounts by usage type, such as `input`, `input_cached_tokens`, `output`, `total`."""

from collections.abc import Mapping
from decimal import Decimal

INPUT, OUTPUT, TOTAL = "input", "output", "total"


def cost_of(side: str, costs: Mapping[str, Decimal]) -> Decimal | None:
    """The sum of all costs whose type contains the side, `input` or `output`; nothing if there is none."""
    matching = [cost for key, cost in costs.items() if side in key]
    return sum(matching, Decimal(0)) if matching else None
