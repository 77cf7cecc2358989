"""A model's pricing tiers: which of them a call falls under, and what its usage costs there."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from heliograph.domain.costs import MAX_UNITS
from heliograph.domain.models import CallCondition, Circumstance, Model, Operator, PricingTier, UsageCondition
from heliograph.domain.usage import TOTAL
from ingestion import values
from ingestion.tokens import OPENAI

Usage = Mapping[str, int]
Costs = dict[str, int]

COMPARISONS: dict[Operator, Callable[[int, int], bool]] = {
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
    Operator.EQ: operator.eq,
    Operator.NEQ: operator.ne,
}
# Parts that their whole is billed with: OpenAI counts predicted tokens within its output.
NOT_BILLED = frozenset({TOTAL, "accepted_prediction_tokens", "rejected_prediction_tokens"})

# Usage has a handful of shapes; a project that makes up keys must not grow the caches without end.
_MAX_SHAPES = 1024


class Bill(NamedTuple):
    """What a call costs, in pico-dollars: by usage key, with the total; the tier, and the keys that have no price."""

    costs: Costs
    tier: str = ""
    unpriced: tuple[str, ...] = ()


NOTHING = Bill({})


class Call(NamedTuple):
    """How a model was called, as far as tiers ask for it: parameters as JSON text, and metadata."""

    model_parameters: str = ""
    metadata: Mapping[str, str] = {}


class PricedModel:
    """A model whose tiers are ready to be applied."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.id = model.id
        self.has_tokenizer = model.tokenizer_id == OPENAI
        self._default = _Tier(model.default_tier)
        special = sorted((tier for tier in model.tiers if tier.conditions), key=lambda tier: tier.priority)
        self._special = [_Tier(tier) for tier in special]
        self._asked = frozenset((each.source, each.key) for tier in self._special for each in tier.of_call)
        self.asks_for_call = bool(self._asked)

    def price(self, usage: Usage, call: Call | None = None) -> Bill:
        """The cost of each usage key that has a price, and their total, in the tier that the call falls under."""
        if not usage:
            return NOTHING
        tier = self._tier(usage, call) if self._special else self._default
        costs, unpriced = tier.bill(usage)
        return Bill(costs, tier.name if costs else "", unpriced)

    def _tier(self, usage: Usage, call: Call | None) -> "_Tier":
        said = _said(call, self._asked) if call is not None and self._asked else {}
        keys = tuple(usage)
        return next((tier for tier in self._special if tier.holds(usage, keys, said)), self._default)


Said = Mapping[tuple[Circumstance, str], str]


def _said(call: Call, asked: frozenset[tuple[Circumstance, str]]) -> Said:
    """What the call says about what the tiers ask."""
    said: dict[tuple[Circumstance, str], str] = {}
    parameters: values.Value = None
    for source, key in asked:
        if source is Circumstance.METADATA:
            if key in call.metadata:
                said[source, key] = call.metadata[key]
        # Nearly no call names a service tier, and parsing is what costs.
        elif key in call.model_parameters:
            parameters = parameters or values.parsed_or_none(call.model_parameters)
            found = parameters.get(key) if isinstance(parameters, dict) else None
            if found is not None:
                said[source, key] = values.text(found)
    return said


class _Tier:
    def __init__(self, tier: PricingTier) -> None:
        self.name = tier.name
        self.of_call = [each for each in tier.conditions if isinstance(each, CallCondition)]
        self._of_usage = [_UsageRule(each) for each in tier.conditions if isinstance(each, UsageCondition)]
        self._prices = tier.prices
        self._plans: dict[tuple[str, ...], tuple[list[tuple[str, int]], tuple[str, ...]]] = {}

    def holds(self, usage: Usage, keys: tuple[str, ...], said: Said) -> bool:
        for each in self.of_call:
            if said.get((each.source, each.key)) not in each.values:
                return False
        return all(rule.holds(usage, keys) for rule in self._of_usage)

    def bill(self, usage: Usage) -> tuple[Costs, tuple[str, ...]]:
        keys = tuple(usage)
        plan = self._plans.get(keys)
        if plan is None:
            if len(self._plans) >= _MAX_SHAPES:
                self._plans.clear()
            plan = self._plans[keys] = self._plan(keys)
        priced, unpriced = plan
        costs = {key: price * usage[key] for key, price in priced}
        if costs:
            _complete(costs)
        return costs, tuple(key for key in unpriced if usage[key]) if unpriced else unpriced

    def _plan(self, keys: tuple[str, ...]) -> tuple[list[tuple[str, int]], tuple[str, ...]]:
        priced = [(key, self._prices[key]) for key in keys if key in self._prices]
        if TOTAL in self._prices:
            return priced, ()
        return priced, tuple(key for key in keys if key not in self._prices and key not in NOT_BILLED)


def _complete(costs: Costs) -> None:
    """Adds the total: as priced, else the sum; nothing exceeds what a cost column holds."""
    total = costs.get(TOTAL)
    if total is None:
        total = costs[TOTAL] = sum(costs.values())
    if total > MAX_UNITS or max(costs.values()) > MAX_UNITS:
        costs.update({key: min(cost, MAX_UNITS) for key, cost in costs.items()})


class _UsageRule:
    def __init__(self, condition: UsageCondition) -> None:
        self._pattern = re.compile(condition.pattern, 0 if condition.is_case_sensitive else re.IGNORECASE)
        self._compare = COMPARISONS[condition.operator]
        self._value = condition.value
        self._matching: dict[tuple[str, ...], tuple[str, ...]] = {}

    def holds(self, usage: Usage, keys: tuple[str, ...]) -> bool:
        matching = self._matching.get(keys)
        if matching is None:
            if len(self._matching) >= _MAX_SHAPES:
                self._matching.clear()
            matching = self._matching[keys] = tuple(filter(self._pattern.search, keys))
        return self._compare(sum([usage[key] for key in matching]), self._value)
