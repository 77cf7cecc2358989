"""Model definitions as the API shows and takes them."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AliasGenerator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliograph.domain.costs import MAX_UNITS, units_of
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.model_documents import dollars, tier_document
from heliograph.domain.models import (
    STANDARD,
    CallCondition,
    Circumstance,
    Model,
    Operator,
    PricingTier,
    TokenizerConfig,
    UsageCondition,
)
from serve_apps.api.shapes.values import Instant, JsonShape, iso, optional_iso

_EXACT = BeforeValidator(lambda value: str(value) if isinstance(value, float) else value)
Price = Annotated[Decimal, _EXACT, Field(ge=0, lt=1_000, allow_inf_nan=False)]
Prices = dict[Annotated[str, Field(min_length=1, max_length=200)], Price]


class Body(BaseModel):
    """A request's body, in the contract's spelling; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, alias_generator=AliasGenerator(validation_alias=to_camel))


class UsageConditionBody(Body):
    """A condition on usage."""

    usage_detail_pattern: str
    operator: Operator
    value: int
    case_sensitive: bool = False

    @property
    def condition(self) -> UsageCondition:
        """The condition that it declares."""
        return UsageCondition(self.usage_detail_pattern, self.operator, self.value, self.case_sensitive)


class CallConditionBody(Body):
    """A condition on how the model was called."""

    source: Circumstance
    key: Annotated[str, Field(min_length=1)]
    operator: Literal["in"]
    values: list[str]

    @property
    def condition(self) -> CallCondition:
        """The condition that it declares."""
        return CallCondition(self.source, self.key, tuple(self.values))


class TierBody(Body):
    """A pricing tier."""

    name: str
    is_default: bool
    priority: int
    conditions: list[UsageConditionBody | CallConditionBody]
    prices: Prices

    @property
    def tier(self) -> PricingTier:
        """The tier that it declares."""
        if self.is_default == bool(self.conditions):
            raise InvalidRequest("pricingTiers.isDefault", "the default tier, and no other, has no conditions")
        return PricingTier(
            self.name, _units(self.prices), self.priority, tuple(one.condition for one in self.conditions)
        )


class TokenizerBody(Body):
    """How messages are counted."""

    tokenizer_model: str = ""
    tokens_per_message: int = 0
    tokens_per_name: int = 0


class ModelBody(Body):
    """A definition to be created."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: str
    match_pattern: str
    start_date: datetime | None = None
    unit: Literal["TOKENS", "CHARACTERS", "MILLISECONDS", "SECONDS", "REQUESTS", "IMAGES"] = "TOKENS"
    input_price: Price | None = None
    output_price: Price | None = None
    total_price: Price | None = None
    pricing_tiers: list[TierBody] | None = None
    tokenizer_id: Literal["openai", "claude"] | None = None
    tokenizer_config: TokenizerBody | None = None

    @property
    def model(self) -> Model:
        """The definition that it declares; raises InvalidRequest."""
        tokenizer = self.tokenizer_config or TokenizerBody()
        return Model(
            id="",
            name=self.model_name,
            match_pattern=self.match_pattern,
            tiers=self._tiers,
            start_date=self.start_date,
            unit=self.unit,
            tokenizer_id=self.tokenizer_id or "",
            tokenizer=TokenizerConfig(
                tokenizer.tokenizer_model, tokenizer.tokens_per_message, tokenizer.tokens_per_name
            ),
        )

    @property
    def _tiers(self) -> tuple[PricingTier, ...]:
        flat = {"input": self.input_price, "output": self.output_price, "total": self.total_price}
        prices = {key: price for key, price in flat.items() if price is not None}
        if bool(prices) == bool(self.pricing_tiers):
            raise InvalidRequest("pricingTiers", "give either flat prices or tiers")
        if "total" in prices and len(prices) > 1:
            raise InvalidRequest("totalPrice", "cannot be given beside inputPrice or outputPrice")
        if self.pricing_tiers:
            return tuple(each.tier for each in self.pricing_tiers)
        return (PricingTier(STANDARD, _units(prices)),)


def _units(prices: Prices) -> dict[str, int]:
    return {key: min(units_of(price) or 0, MAX_UNITS) for key, price in prices.items()}


class UsageConditionShape(JsonShape):
    """A condition on the usage whose keys a pattern finds."""

    usageDetailPattern: str
    operator: Operator
    value: int
    caseSensitive: bool


class CallConditionShape(JsonShape):
    """A condition on how the model was called."""

    source: Circumstance
    key: str
    operator: Literal["in"]
    values: Sequence[str]


class PricingTierShape(JsonShape):
    """A pricing tier: US dollars for a unit of each usage key, under all of the conditions."""

    id: str
    name: str
    isDefault: bool
    priority: int
    conditions: Sequence[UsageConditionShape | CallConditionShape]
    prices: dict[str, float]


class PriceShape(JsonShape):
    """US dollars for a unit."""

    price: float


class TokenizerShape(JsonShape):
    """How messages are counted."""

    tokenizerModel: str
    tokensPerMessage: int
    tokensPerName: int


class ModelShape(JsonShape):
    """A definition: which names it stands for, and what its usage costs in US dollars."""

    id: str
    modelName: str
    matchPattern: str
    startDate: Instant | None
    unit: str
    inputPrice: float | None
    outputPrice: float | None
    totalPrice: float | None
    tokenizerId: str | None
    tokenizerConfig: TokenizerShape | None
    isLangfuseManaged: bool
    createdAt: Instant | None
    prices: dict[str, PriceShape]
    pricingTiers: Sequence[PricingTierShape]


def model_shape(model: Model, *, with_call_conditions: bool = True) -> ModelShape:
    """The contract's model, with or without the tiers that have a condition on how the model was called."""
    tiers = [tier for tier in model.tiers if with_call_conditions or not _is_about_calls(tier)]
    prices = {key: float(dollars(price)) for key, price in model.default_tier.prices.items()}
    return {
        "id": model.id,
        "modelName": model.name,
        "matchPattern": model.match_pattern,
        "startDate": optional_iso(model.start_date),
        "unit": model.unit,
        "inputPrice": prices.get("input"),
        "outputPrice": prices.get("output"),
        "totalPrice": prices.get("total"),
        "tokenizerId": model.tokenizer_id or None,
        "tokenizerConfig": _tokenizer(model),
        "isLangfuseManaged": not model.project_id,
        "createdAt": iso(model.created_at) if model.created_at else None,
        "prices": {key: {"price": price} for key, price in prices.items()},
        "pricingTiers": [_tier(model, tier) for tier in tiers],
    }


def _is_about_calls(tier: PricingTier) -> bool:
    return any(isinstance(condition, CallCondition) for condition in tier.conditions)


def _tokenizer(model: Model) -> TokenizerShape | None:
    if not model.tokenizer_id:
        return None
    config = model.tokenizer
    return {
        "tokenizerModel": config.model,
        "tokensPerMessage": config.tokens_per_message,
        "tokensPerName": config.tokens_per_name,
    }


def _tier(model: Model, tier: PricingTier) -> PricingTierShape:
    # Tiers have no rows of their own: their ids are made of what identifies them.
    tier_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{model.id}/{tier.name}"))
    document = tier_document(tier)
    return {
        "id": tier_id,
        "name": tier.name,
        "isDefault": document["isDefault"],
        "priority": tier.priority,
        "conditions": document["conditions"],
        "prices": {key: float(dollars(price)) for key, price in tier.prices.items()},
    }
