"""A model's pricing tiers: which of them a call falls under, and what its usage costs there."""

import operator
import re
from collections.abc import Callable, Mapping

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


Said = Mapping[tuple[Circumstance, str], str]
_NOTHING_SAID: Said = {}
_NO_METADATA: Mapping[str, str] = {}

# What a call costs, in pico-dollars: by usage key, with the total; the tier, and the keys that have no price. A plain
# tuple, since one is made for each observation.
Bill = tuple[Costs, str, tuple[str, ...]]

NOTHING: Bill = ({}, "", ())


class PricedModel:
    """A model whose tiers are ready to be applied."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.id = model.id
        self.has_tokenizer = model.tokenizer_id == OPENAI
        self._default = _Tier(model.default_tier)
        special = sorted((tier for tier in model.tiers if tier.conditions), key=lambda tier: tier.priority)
        self._special = [_Tier(tier) for tier in special]
        # Those that may hold of a call that says nothing of what tiers ask.
        self._by_usage = [tier for tier in self._special if not tier.of_call]
        self._least = min((tier.least for tier in self._by_usage), default=0)
        self._asked = frozenset((each.source, each.key) for tier in self._special for each in tier.of_call)

    def price(self, usage: Usage, parameters: str = "", metadata: Mapping[str, str] = _NO_METADATA) -> Bill:
        """The cost of each usage key that has a price, and their total, in the tier that the call falls under.

        Args:
            usage: units by key.
            parameters: with which the model was called, as JSON text.
            metadata: of the call.
        """
        if not usage:
            return NOTHING
        said = _said(self._asked, parameters, metadata) if self._asked else _NOTHING_SAID
        candidates = self._special if said else self._by_usage
        if not candidates or (not said and sum(usage.values()) < self._least):
            return self._default.bill(usage)
        keys = tuple(usage)
        return next((tier for tier in candidates if tier.holds(usage, keys, said)), self._default).bill(usage)


def _said(asked: frozenset[tuple[Circumstance, str]], parameters: str, metadata: Mapping[str, str]) -> Said:
    """What the call says about what the tiers ask."""
    said: dict[tuple[Circumstance, str], str] = {}
    parsed: values.Value = None
    for source, key in asked:
        if source is Circumstance.METADATA:
            if key in metadata:
                said[source, key] = metadata[key]
        # Nearly no call names a service tier, and parsing is what costs.
        elif key in parameters:
            parsed = parsed or values.parsed_or_none(parameters)
            found = parsed.get(key) if isinstance(parsed, dict) else None
            if found is not None:
                said[source, key] = values.text(found)
    return said


class _Tier:
    def __init__(self, tier: PricingTier) -> None:
        self.name = tier.name
        self.of_call = [each for each in tier.conditions if isinstance(each, CallCondition)]
        self._of_usage = [_UsageRule(each) for each in tier.conditions if isinstance(each, UsageCondition)]
        # The units, all keys together, below which it cannot hold.
        self.least = max((rule.least for rule in self._of_usage), default=0)
        self._prices = tier.prices
        self._plans: dict[tuple[str, ...], tuple[list[tuple[str, int]], tuple[str, ...]]] = {}

    def holds(self, usage: Usage, keys: tuple[str, ...], said: Said) -> bool:
        for each in self.of_call:
            if said.get((each.source, each.key)) not in each.values:
                return False
        return all(rule.holds(usage, keys) for rule in self._of_usage)

    def bill(self, usage: Usage) -> Bill:
        keys = tuple(usage)
        plan = self._plans.get(keys)
        if plan is None:
            if len(self._plans) >= _MAX_SHAPES:
                self._plans.clear()
            plan = self._plans[keys] = self._plan(keys)
        priced, unpriced = plan
        named = tuple([key for key in unpriced if usage[key]]) if unpriced else unpriced
        if not priced:
            return {}, "", named
        costs = {key: price * usage[key] for key, price in priced}
        if TOTAL not in costs:
            costs[TOTAL] = sum(costs.values())
        if costs[TOTAL] > MAX_UNITS or max(costs.values()) > MAX_UNITS:
            costs = {key: min(cost, MAX_UNITS) for key, cost in costs.items()}
        return costs, self.name, named

    def _plan(self, keys: tuple[str, ...]) -> tuple[list[tuple[str, int]], tuple[str, ...]]:
        priced = [(key, self._prices[key]) for key in keys if key in self._prices]
        if TOTAL in self._prices:
            return priced, ()
        return priced, tuple(key for key in keys if key not in self._prices and key not in NOT_BILLED)


class _UsageRule:
    def __init__(self, condition: UsageCondition) -> None:
        self._pattern = re.compile(condition.pattern, 0 if condition.is_case_sensitive else re.IGNORECASE)
        self._compare = COMPARISONS[condition.operator]
        self._value = condition.value
        self._matching: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.least = condition.value if condition.operator in {Operator.GT, Operator.GTE} else 0

    def holds(self, usage: Usage, keys: tuple[str, ...]) -> bool:
        matching = self._matching.get(keys)
        if matching is None:
            if len(self._matching) >= _MAX_SHAPES:
                self._matching.clear()
            matching = self._matching[keys] = tuple(filter(self._pattern.search, keys))
        return self._compare(sum([usage[key] for key in matching]), self._value)
