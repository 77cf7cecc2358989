"""Model definitions: which reported names they stand for, from when on, and what their usage costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# Pico-dollars for one unit, by usage key.
Prices = Mapping[str, int]

STANDARD = "Standard"


class Operator(StrEnum):
    """How usage is compared with a value."""

    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EQ = "eq"
    NEQ = "neq"


class Circumstance(StrEnum):
    """Where a call says how it was made."""

    MODEL_PARAMETERS = "model_parameters"
    METADATA = "metadata"


@dataclass(frozen=True)
class UsageCondition:
    """Holds when the units of all usage keys that the pattern finds, taken together, compare so with the value."""

    pattern: str
    operator: Operator
    value: int
    is_case_sensitive: bool = False


@dataclass(frozen=True)
class CallCondition:
    """Holds when the call's parameter or metadata of that name is one of the values."""

    source: Circumstance
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class PricingTier:
    """Prices, and when they apply: under all of the conditions; the tier without any is the default.

    Attributes:
        name: unique within its model.
        prices: pico-dollars per unit, by usage key.
        priority: tiers with conditions are tried in ascending order.
        conditions: what must hold of a call.
    """

    name: str
    prices: Prices
    priority: int = 0
    conditions: tuple[UsageCondition | CallCondition, ...] = ()


@dataclass(frozen=True)
class TokenizerConfig:
    """How messages are counted where nothing was reported: tokens for each message beside its text, and for a name."""

    model: str = ""
    tokens_per_message: int = 0
    tokens_per_name: int = 0


@dataclass(frozen=True)
class Model:
    """A model definition.

    Attributes:
        id: identifies the definition.
        name: what people call the model.
        match_pattern: the regular expression that its reported names match, as PostgreSQL's `~` reads it.
        tiers: its prices; one tier has no conditions.
        start_date: it is meant for observations that started then or later; None means for all.
        unit: what usage counts.
        tokenizer_id: `openai`, `claude` or ''.
        tokenizer: how the tokenizer counts messages.
        project_id: whose definition it is; '' for the managed ones.
    """

    id: str
    name: str
    match_pattern: str
    tiers: tuple[PricingTier, ...] = ()
    start_date: datetime | None = None
    unit: str = "TOKENS"
    tokenizer_id: str = ""
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    project_id: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def default_tier(self) -> PricingTier:
        """The tier that applies when no other does."""
        return next((tier for tier in self.tiers if not tier.conditions), _NO_PRICES)

    def tier(self, name: str) -> PricingTier:
        """The tier of that name; the default one when there is none."""
        return next((tier for tier in self.tiers if tier.name == name), self.default_tier)


_NO_PRICES = PricingTier(STANDARD, {})
