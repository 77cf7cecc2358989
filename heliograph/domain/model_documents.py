"""Model definitions and their tiers as JSON: the form of the API, of the stored definitions and of the managed list."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from heliograph.domain.costs import UNITS_PER_DOLLAR, units_of
from heliograph.domain.models import CallCondition, Circumstance, Operator, PricingTier, UsageCondition

# Everything here is what JSON can hold.
Document = Mapping[str, Any]

ONE_OF = "in"


def tier_from(document: Document) -> PricingTier:
    """A tier of its document, where prices are US dollars for one unit."""
    return PricingTier(
        name=document["name"],
        prices={key: units_of(price) or 0 for key, price in document["prices"].items()},
        priority=document.get("priority", 0),
        conditions=tuple(map(_condition, document.get("conditions", ()))),
    )


def tier_document(tier: PricingTier) -> dict[str, Any]:
    """The document of a tier; prices are text, so that nothing is rounded."""
    return {
        "name": tier.name,
        "isDefault": not tier.conditions,
        "priority": tier.priority,
        "conditions": list(map(_condition_document, tier.conditions)),
        "prices": {key: f"{dollars(price):f}" for key, price in tier.prices.items()},
    }


def dollars(price: int) -> Decimal:
    """A price in US dollars."""
    return (Decimal(price) / UNITS_PER_DOLLAR).normalize()


def _condition(document: Document) -> UsageCondition | CallCondition:
    if "source" in document:
        return CallCondition(Circumstance(document["source"]), document["key"], tuple(document["values"]))
    return UsageCondition(
        pattern=document["usageDetailPattern"],
        operator=Operator(document["operator"]),
        value=document["value"],
        is_case_sensitive=document.get("caseSensitive", False),
    )


def _condition_document(condition: UsageCondition | CallCondition) -> dict[str, Any]:
    if isinstance(condition, CallCondition):
        return {
            "source": condition.source.value,
            "key": condition.key,
            "operator": ONE_OF,
            "values": list(condition.values),
        }
    return {
        "usageDetailPattern": condition.pattern,
        "operator": condition.operator.value,
        "value": condition.value,
        "caseSensitive": condition.is_case_sensitive,
    }
